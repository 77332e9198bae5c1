//! Whatever an instance writes, the terminal sees only cells: a terminal emulator is the judge.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not so")]

use std::num::NonZeroU16;
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use quarterdeck::model::InstanceId;
use quarterdeck::observe::log::{ChunkBuilder, LogBatch, Stream};
use quarterdeck::observe::text::{fit, width};
use vt100::{Callbacks, Parser, Screen};

/// Counts everything a terminal is told that is no character.
#[derive(Default)]
struct Told(usize);

impl Callbacks for Told {
    fn audible_bell(&mut self, _: &mut Screen) {
        self.0 += 1;
    }
    fn visual_bell(&mut self, _: &mut Screen) {
        self.0 += 1;
    }
    fn resize(&mut self, _: &mut Screen, _: (u16, u16)) {
        self.0 += 1;
    }
    fn set_window_icon_name(&mut self, _: &mut Screen, _: &[u8]) {
        self.0 += 1;
    }
    fn set_window_title(&mut self, _: &mut Screen, _: &[u8]) {
        self.0 += 1;
    }
    fn copy_to_clipboard(&mut self, _: &mut Screen, _: &[u8], _: &[u8]) {
        self.0 += 1;
    }
    fn paste_from_clipboard(&mut self, _: &mut Screen, _: &[u8]) {
        self.0 += 1;
    }
    fn unhandled_control(&mut self, _: &mut Screen, _: u8) {
        self.0 += 1;
    }
    fn unhandled_escape(&mut self, _: &mut Screen, _: Option<u8>, _: Option<u8>, _: u8) {
        self.0 += 1;
    }
    fn unhandled_csi(&mut self, _: &mut Screen, _: Option<u8>, _: Option<u8>, _: &[&[u16]], _: char) {
        self.0 += 1;
    }
    fn unhandled_osc(&mut self, _: &mut Screen, _: &[&[u8]]) {
        self.0 += 1;
    }
}

/// Pieces that make trouble, whole and broken off.
const PIECES: &[&[u8]] = &[
    b"\x1b[31m",
    b"\x1b[1;38;5;200m",
    b"\x1b[2J",
    b"\x1b[10;10H",
    b"\x1b[?1049h",
    b"\x1b[?25l",
    b"\x1b]0;title\x07",
    b"\x1b]52;c;aGk=\x1b\\",
    b"\x1bPq\x1b\\",
    b"\x1b_x\x1b\\",
    b"\x1b^x\x9c",
    b"\x1bc",
    b"\x1b(0",
    b"\x1b7",
    b"\x1bM",
    b"\x1b",
    b"\x1b[",
    b"\x1b]",
    b"\x9b5n",
    b"\xc2\x9b31m",
    b"\xc2\x90x",
    b"\xc2\x85",
    b"\r",
    b"\x08\x08",
    b"\t",
    b"\x07",
    b"\x0e",
    b"\x7f",
    b"\0",
    b"\n",
    b"\xff\xfe",
    b"\xe4\xb8",
    "中文".as_bytes(),
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}".as_bytes(),
    "👍".as_bytes(),
    "\u{202e}abc".as_bytes(),
    "\u{200b}\u{200d}\u{feff}".as_bytes(),
    "\u{2028}".as_bytes(),
    "\u{e0041}".as_bytes(),
    b"plain words",
    b"level=error",
    b"password=hunter2",
    b"{\"msg\":\"\\u001b[31m\"}",
];

fn size(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells).unwrap()
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => (0..PIECES.len()).prop_map(|n| PIECES[n].to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..12),
        1 => any::<String>().prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_comes_in_only_cells_change(raw in bytes()) {
        let mut builder = ChunkBuilder::new();
        builder.line(Timestamp::UNIX_EPOCH, Stream::Stdout, &raw);
        let batch = LogBatch::new(InstanceId::from("i"), Arc::new(builder.finish()));
        let line = batch.line(0).unwrap();
        // The looks it asks for lie within it, in order, on whole characters.
        let mut end = 0;
        for (range, _) in line.looks.iter() {
            prop_assert!(range.start >= end && range.end > range.start && line.text.get(range.clone()).is_some(), "{:?}", range);
            end = range.end;
        }
        let parsed = quarterdeck::observe::log::parse(&line);
        let values = parsed.fields.iter().map(|(_, v)| v.as_ref());
        for text in [line.text, parsed.message.as_ref()].into_iter().chain(values) {
            // This emulator leaves the sign for bytes that are no text out; real ones draw it in one cell.
            let text = fit(text, 120).replace('\u{fffd}', "?");
            let mut parser: Parser<Told> = Parser::new_with_callbacks(size(4), size(400), 0, Told::default());
            let fresh = parser.screen().clone();
            parser.process(text.as_bytes());
            let screen = parser.screen().clone();
            prop_assert_eq!(parser.callbacks().0, 0, "{:?}", text);
            prop_assert_eq!(screen.input_mode_formatted(), fresh.input_mode_formatted());
            prop_assert_eq!(screen.attributes_formatted(), fresh.attributes_formatted());
            prop_assert_eq!((screen.alternate_screen(), screen.hide_cursor()), (false, false));
            let (row, column) = screen.cursor_position();
            prop_assert_eq!(row, 0);
            // A terminal adds up characters; what is drawn may join some of them, never take more.
            let cells: usize = text.chars().map(|c| width(c.encode_utf8(&mut [0; 4]))).sum();
            prop_assert_eq!(usize::from(column), cells, "{:?}", text);
            prop_assert!(width(&text) <= cells, "{:?}", text);
            let contents = screen.contents();
            prop_assert_eq!(contents.trim_end(), text.trim_end(), "{:?}", text);
        }
    }
}
