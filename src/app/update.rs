//! The router: one message in, effects out; one file per concern below.

mod ahead;
mod alerting;
mod around;
mod autoscale;
mod bursts;
mod changed;
mod changes;
mod confirm;
mod discovery;
mod figures;
mod forward;
mod inspect;
mod keys;
mod lens;
mod load;
mod log_run;
mod logs;
mod menus;
mod navigation;
mod observe;
mod older;
mod operations;
mod output;
mod overlay;
mod palette;
mod prompt;
mod reading;
mod reveal;
mod run;
mod scope;
mod search;
mod shapes;
mod table;
mod when;
mod wish;

use crate::engine::Update;
use crate::operate::machine::Event;

use super::msg::{Msg, Stamped};
use super::state::Overlay;
use super::{Effect, State};

pub use changes::rollback as can_go_back;
pub use keys::context;
pub use overlay::QUIT_ANSWERS;

/// Whether there is a log to follow of what is selected.
pub(in crate::app) fn can_follow(state: &State) -> bool {
    logs::of_selection(state).is_ok()
}

pub(in crate::app) use menus::commands as menu_commands;
pub(in crate::app) use navigation::described;

/// Seconds a message is shown; bad news stays longer.
const MESSAGE_SECONDS: [i64; 2] = [5, 10];

/// Takes a message into the state and says what is to be done outside.
pub fn update(state: &mut State, stamped: Stamped) -> Vec<Effect> {
    // Clocks may step back; ages may not.
    state.now = state.now.max(stamped.at);
    let mut effects = dispatch(state, stamped.msg);
    effects.extend(settle(state));
    effects
}

fn dispatch(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(chord) => keys::key(state, chord),
        Msg::Paste(text) => keys::paste(state, &text),
        Msg::Wheel(rows) => run::wheel(state, rows),
        Msg::Click(x, y) => run::click(state, x, y),
        Msg::Resize(width, height) => {
            state.size = (width, height);
            Vec::new()
        }
        Msg::Tick => tick(state),
        Msg::Work => {
            lens::work(state);
            Vec::new()
        }
        Msg::Run(command) => run::run(state, command),
        Msg::Ask(request, answer) => operations::ask(state, &request, &answer),
        Msg::Update { connection, update } => match update {
            Update::Link(link) => observe::link(state, &connection, &link),
            Update::Inventory(inventory) => observe::inventory(state, &connection, &inventory),
            Update::Events(items) => observe::events(state, &connection, items),
            Update::Samples(samples) => observe::samples(state, &connection, &samples),
            Update::Logs(batch) => logs::take_in(state, &connection, &batch),
            Update::Description(description) => observe::description(state, &description),
        },
        Msg::Sighted { watch, sighting } => around::sighted(state, &watch, sighting),
        Msg::Done { operation, ticket, result } => operations::event(state, &operation, Event::Done(ticket, result)),
        Msg::Previewed { plan, step, result } => ahead::previewed(state, &plan, step, result),
        Msg::Measured { environment, policy, result } => autoscale::measured(state, &environment, policy, result),
        Msg::Figures { operation, ticket, figures } => operations::event(state, &operation, Event::Figures(ticket, figures)),
        Msg::Progress { operation, ticket, text } => operations::event(state, &operation, Event::Progress(ticket, text)),
        Msg::JournalFailed(why) => {
            state.say(false, format!("the audit journal could not be written: {why}"));
            Vec::new()
        }
        Msg::Journal(records) => operations::past(state, records),
        Msg::Note { ok, text } => {
            state.say(ok, text);
            Vec::new()
        }
        Msg::Piped { command, result } => output::piped(state, &command, result),
        Msg::Forward { id, told } => {
            forward::told(state, id, told);
            Vec::new()
        }
        Msg::Alive(living) => discovery::alive(state, living),
    }
}

fn tick(state: &mut State) -> Vec<Effect> {
    around::tick(state);
    bursts::tick(state);
    let mut effects = operations::tick(state);
    effects.extend(discovery::owners(state));
    effects.extend(autoscale::tick(state));
    effects
}

/// What holds after every message: the selection exists, the list is made, the log follows what is there.
fn settle(state: &mut State) -> Vec<Effect> {
    let now = state.now.as_second();
    state.messages.retain(|m| now - m.at.as_second() < MESSAGE_SECONDS[usize::from(!m.ok)]);
    logs::sync(state);
    table::settle(state);
    figures::settle(state);
    palette::settle(state);
    if state.quitting && state.operations.running.is_empty() {
        return vec![Effect::Quit];
    }
    if state.operations.running.is_empty() {
        // There is nothing to wait for any more.
        state.overlays.retain(|o| !matches!(o, Overlay::Quit));
    }
    Vec::new()
}
