//! The commands of a log.

/// What is done in a log alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogCommand {
    Follow,
    Wrap,
    Filter,
    Fold,
    FoldAll,
    ContextMore,
    ContextLess,
    Patterns,
    Since,
    Format,
    BucketNext,
    BucketPrevious,
    Raw,
    Reveal,
    Highlight,
    Fields,
    Pick,
    Stamps,
    ErrorNext,
    ErrorPrevious,
    MarkNext,
    MarkPrevious,
    Time,
    Pipe,
}
