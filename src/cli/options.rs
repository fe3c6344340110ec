//! Every option of the command line, one constant each: its names, its environment variable, what it takes, and
//! what it is for. Parsing, help, the environment and artifacts all follow this one table.

mod table;

pub use table::*;

/// What an option takes, and how it becomes a value.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Nothing: it is there or not.
    Switch,
    /// Nothing, and this second name says no.
    Toggle(&'static str),
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// A whole number that is not negative.
    Count,
    /// A path; the second kind must exist, the third is made absolute.
    Path,
    ExistingPath,
    AbsolutePath,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Several words, up to the next option.
    Words,
    /// Several of these words, up to the next option.
    Choices(&'static [&'static str]),
    /// A YAML mapping.
    Yaml,
    /// The YAML of `--warn-error-options`.
    WarnErrorOptions,
    /// A date, or a date and time.
    DateTime,
    /// A day.
    Date,
    /// A sample window: `3 days`, or a YAML mapping with `start` and `end`.
    Sample,
    /// `name@version`.
    Package,
}

/// Where an option stands in the help, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Selection,
    Project,
    Execution,
    Comparison,
    Output,
    Logging,
    /// Rarely needed.
    Rare,
    /// Kept for compatibility: in no help.
    Hidden,
}

impl Group {
    /// The heading in the help.
    pub fn heading(self) -> &'static str {
        match self {
            Group::Selection => "Choose nodes",
            Group::Project => "Project and target",
            Group::Execution => "How to run",
            Group::Comparison => "Compare with an earlier state",
            Group::Output => "Output",
            Group::Logging => "Logs and messages",
            Group::Rare | Group::Hidden => "Rarely needed",
        }
    }
}

/// One option.
#[derive(Debug, Clone, Copy)]
pub struct Opt {
    /// dbt's name for it: a field of [`Flags`](crate::flags::Flags), a key of `args` in artifacts.
    pub name: &'static str,
    /// The long form, without dashes.
    pub long: &'static str,
    /// Other long forms.
    pub aliases: &'static [&'static str],
    pub short: Option<char>,
    /// Other short forms.
    pub short_aliases: &'static [char],
    /// The environment variable, in its `DBT_` form.
    pub env: Option<&'static str>,
    pub kind: Kind,
    pub group: Group,
    pub help: &'static str,
}

impl Opt {
    const fn new(
        name: &'static str,
        long: &'static str,
        kind: Kind,
        group: Group,
        help: &'static str,
    ) -> Self {
        Opt { name, long, aliases: &[], short: None, short_aliases: &[], env: None, kind, group, help }
    }

    const fn short(mut self, short: char) -> Self {
        self.short = Some(short);
        self
    }

    const fn env(mut self, env: &'static str) -> Self {
        self.env = Some(env);
        self
    }

    const fn aliases(mut self, aliases: &'static [&'static str], short_aliases: &'static [char]) -> Self {
        self.aliases = aliases;
        self.short_aliases = short_aliases;
        self
    }

    /// The name of the opposite, for options that have one.
    pub fn negation(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Toggle(no) => Some(no),
            _ => None,
        }
    }
}

/// Options that every command knows, before and after the command's name.
pub const GLOBAL: &[Opt] = &[
    CACHE_SELECTED_ONLY,
    DEBUG,
    DEFER,
    DEFER_STATE,
    FAIL_FAST,
    FAVOR_STATE,
    INDIRECT_SELECTION,
    LOG_CACHE_EVENTS,
    LOG_FILE_MAX_BYTES,
    LOG_FORMAT,
    LOG_FORMAT_FILE,
    LOG_LEVEL,
    LOG_LEVEL_FILE,
    LOG_PATH,
    MACRO_DEBUGGING,
    PARTIAL_PARSE,
    PARTIAL_PARSE_FILE_DIFF,
    PARTIAL_PARSE_FILE_PATH,
    POPULATE_CACHE,
    PRINT,
    PRINTER_WIDTH,
    PROFILE,
    QUIET,
    RECORD_TIMING_INFO,
    SEND_ANONYMOUS_USAGE_STATS,
    SHOW_ALL_DEPRECATIONS,
    SHOW_RESOURCE_REPORT,
    SINGLE_THREADED,
    STATE,
    STATIC_PARSER,
    TARGET,
    UPLOAD_ARTIFACTS,
    USE_COLORS,
    USE_COLORS_FILE,
    USE_EXPERIMENTAL_PARSER,
    USE_FAST_TEST_EDGES,
    VERSION_CHECK,
    WARN_ERROR,
    WARN_ERROR_OPTIONS,
    WRITE_JSON,
];
