//! Snapshots of charts at a moment, of each instance by itself, without braille, and of what changed before something.

use std::time::Duration;

use quarterdeck::app::changes;
use quarterdeck::app::state::{Dots, Overlay, Screen, State, Window};

use crate::picture::text;
use crate::scene::{ago, go, world};

fn check(name: &str, size: (u16, u16), prepare: impl Fn(&mut State)) {
    let mut state = world(size);
    prepare(&mut state);
    let content = text(&state);
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, content);
    });
}

#[test]
fn each_instance_at_a_moment() {
    check("metrics_each", (120, 40), |s| {
        go(s, Screen::Metrics);
        s.charts.each = true;
        s.charts.cursor = Some(ago(100));
    });
}

#[test]
fn an_hour_in_blocks_and_in_ascii() {
    for (name, dots) in [("metrics_blocks", Dots::Blocks), ("metrics_ascii", Dots::Ascii)] {
        check(name, (100, 30), |s| {
            go(s, Screen::Metrics);
            s.charts.window = Window::Hour;
            s.settings.dots = dots;
        });
    }
}

#[test]
fn what_changed_before_what_is_ill() {
    for (name, size) in [("changes_120x40", (120, 40)), ("changes_80x24", (80, 24)), ("changes_40x12", (40, 12))] {
        check(name, size, |s| {
            go(s, Screen::Workloads);
            let asked = changes::of_selection(s).unwrap();
            let told = changes::before(s, asked, Duration::from_secs(7 * 86_400));
            s.overlays.push(Overlay::Changes { changes: Box::new(told), selected: 1 });
        });
    }
}
