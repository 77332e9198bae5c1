//! The roles a theme gives a look to.

/// What something on the screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Everything unless it is something else; laid over the whole screen first.
    Text,
    /// What matters less: units, ages, ids.
    Dim,
    /// What matters more: names, totals.
    Strong,
    /// The one accent: the pointer, the cursor, what is being typed.
    Accent,
    /// The top line.
    Header,
    /// The headings of columns and panes.
    Heading,
    Tab,
    TabActive,
    /// The selected row.
    Selection,
    /// A marked row.
    Mark,
    /// What is shown is not fresh.
    Stale,
    /// Lines and frames.
    Border,
    /// What lies over the screen: its ground.
    Overlay,
    /// A key in the footer, help and menus.
    Key,
    /// What cannot be done here and now.
    Disabled,
    Good,
    Warn,
    Bad,
    Starting,
    Unknown,
    TierLocal,
    TierStaging,
    TierProduction,
    TierUnknown,
    /// What a search has found.
    Match,
    /// The match the cursor is on.
    MatchCurrent,
    LevelDebug,
    LevelInfo,
    LevelWarn,
    LevelError,
    LevelFatal,
    /// A line in a log that tells of the log itself.
    Marker,
    /// Sparklines, bars and charts.
    Chart,
}

impl Role {
    /// Every role, in the order they are declared.
    pub const ALL: [Self; 33] = [
        Self::Text,
        Self::Dim,
        Self::Strong,
        Self::Accent,
        Self::Header,
        Self::Heading,
        Self::Tab,
        Self::TabActive,
        Self::Selection,
        Self::Mark,
        Self::Stale,
        Self::Border,
        Self::Overlay,
        Self::Key,
        Self::Disabled,
        Self::Good,
        Self::Warn,
        Self::Bad,
        Self::Starting,
        Self::Unknown,
        Self::TierLocal,
        Self::TierStaging,
        Self::TierProduction,
        Self::TierUnknown,
        Self::Match,
        Self::MatchCurrent,
        Self::LevelDebug,
        Self::LevelInfo,
        Self::LevelWarn,
        Self::LevelError,
        Self::LevelFatal,
        Self::Marker,
        Self::Chart,
    ];

    /// Its name in a theme file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Dim => "dim",
            Self::Strong => "strong",
            Self::Accent => "accent",
            Self::Header => "header",
            Self::Heading => "heading",
            Self::Tab => "tab",
            Self::TabActive => "tab-active",
            Self::Selection => "selection",
            Self::Mark => "mark",
            Self::Stale => "stale",
            Self::Border => "border",
            Self::Overlay => "overlay",
            Self::Key => "key",
            Self::Disabled => "disabled",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Starting => "starting",
            Self::Unknown => "unknown",
            Self::TierLocal => "tier-local",
            Self::TierStaging => "tier-staging",
            Self::TierProduction => "tier-production",
            Self::TierUnknown => "tier-unknown",
            Self::Match => "match",
            Self::MatchCurrent => "match-current",
            Self::LevelDebug => "level-debug",
            Self::LevelInfo => "level-info",
            Self::LevelWarn => "level-warn",
            Self::LevelError => "level-error",
            Self::LevelFatal => "level-fatal",
            Self::Marker => "marker",
            Self::Chart => "chart",
        }
    }

    /// Whether its background is what it is known by: where there are no colours it is shown reversed.
    #[must_use]
    pub fn is_block(self) -> bool {
        matches!(
            self,
            Self::TabActive | Self::Selection | Self::TierProduction | Self::Match | Self::MatchCurrent | Self::LevelFatal
        )
    }
}
