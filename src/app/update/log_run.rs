//! Every command of a log, sent to the file that does it.

use crate::app::command::LogCommand;
use crate::app::{Effect, State};

use super::{inspect, lens, output, reading, reveal, search, shapes, when};

/// Runs a command on the open log.
pub fn run(state: &mut State, command: LogCommand) -> Vec<Effect> {
    match command {
        LogCommand::Follow => reading::toggle_follow(state),
        LogCommand::Wrap => reading::wrap(state),
        LogCommand::Raw => reading::raw(state),
        LogCommand::Highlight => inspect::ask_highlight(state),
        LogCommand::Fields => inspect::ask_fields(state),
        LogCommand::Filter => lens::ask(state),
        LogCommand::Fold => lens::open_trace(state),
        LogCommand::FoldAll => lens::fold(state),
        LogCommand::ContextMore => lens::context(state, true),
        LogCommand::ContextLess => lens::context(state, false),
        LogCommand::Since => when::ask_since(state),
        LogCommand::Format => inspect::ask_format(state),
        LogCommand::Patterns => shapes::open(state),
        LogCommand::BucketNext => when::column(state, 1),
        LogCommand::BucketPrevious => when::column(state, -1),
        LogCommand::Reveal => return reveal::toggle(state),
        LogCommand::Pick => inspect::pick(state),
        LogCommand::Stamps => reading::stamps(state),
        LogCommand::ErrorNext => search::error(state, true),
        LogCommand::ErrorPrevious => search::error(state, false),
        LogCommand::MarkNext => search::mark(state, true),
        LogCommand::MarkPrevious => search::mark(state, false),
        LogCommand::Time => when::ask(state),
        LogCommand::Pipe => output::ask_pipe(state),
    }
    Vec::new()
}
