//! What the program wants done outside, as data; the runtime does it.

use std::sync::Arc;

use crate::engine::Shell;
use crate::model::{ConnectionId, EnvironmentId, OperationId, Workload};
use crate::operate::Action;
use crate::operate::audit::Record;
use crate::operate::machine::Ticket;

/// Something to be done outside. The runtime answers, where it answers at all, with a [`super::Msg`].
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Answered by [`super::Msg::Done`].
    Execute { connection: ConnectionId, operation: OperationId, ticket: Ticket, action: Action },
    /// Ends what is being executed, where it can be told to; it is answered all the same.
    Stop { operation: OperationId, ticket: Ticket },
    /// Looks ahead at a step of a plan that is on screen: changes nothing. Answered by [`super::Msg::Previewed`].
    Preview { connection: ConnectionId, plan: OperationId, step: usize, look: Action },
    /// Reads the figure an autoscaling policy follows. Answered by [`super::Msg::Measured`].
    Measure { connection: ConnectionId, environment: EnvironmentId, policy: usize, look: Action },
    /// Appends to the audit journal and syncs it, in order, before any later effect is performed.
    Journal(Record),
    /// Reads the journal's past operations. Answered by [`super::Msg::Journal`].
    LoadJournal,
    /// Puts text on the clipboard of the terminal's own machine (OSC 52).
    Copy(String),
    /// Writes a file in the working directory; answered by a [`super::Msg::Note`].
    Save { name: String, content: String },
    /// Gives text to a command of this machine, away from the terminal; answered by [`super::Msg::Piped`].
    Pipe { command: String, content: String },
    /// Hands the terminal to a command in an instance, then takes it back.
    Shell { connection: ConnectionId, shell: Shell },
    /// Asks the published ports of a workload, once, what it could be watched by. Answered by [`super::Msg::Piped`].
    Offer { connection: ConnectionId, workload: Arc<Workload> },
    /// Leads a port of this machine to one of what is ready. Answered by [`super::Msg::Forward`].
    Forward { id: u64, connection: ConnectionId, local: u16, remote: u16 },
    /// Closes it, and every connection through it.
    Unforward(u64),
    /// Asks which of these processes of this host live. Answered by [`super::Msg::Alive`].
    ProbeOwners(Vec<(u32, u64)>),
    /// Asks the engine again now instead of waiting for the slow resync.
    Refresh(ConnectionId),
    /// Another theme from now on.
    Theme(Arc<str>),
    /// Stops the program like Ctrl-Z does.
    Suspend,
    /// Ends the program.
    Quit,
}
