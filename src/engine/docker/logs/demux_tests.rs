//! Log replies in pieces of every size.

use super::*;

const T1: &str = "2026-11-21T03:21:51.897993094Z";
const T2: &str = "2026-11-21T03:21:52.000000001Z";

fn frame(kind: u8, body: &str) -> Vec<u8> {
    let mut out = vec![kind, 0, 0, 0];
    out.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    out.extend(body.as_bytes());
    out
}

fn read(bytes: &[u8], size: usize, finish: bool) -> Vec<(Option<String>, Stream, String)> {
    let mut lines = Vec::new();
    let mut each = |line: Line<'_>| {
        let at = line.at.map(|at| at.strftime("%S.%f").to_string());
        lines.push((at, line.stream, String::from_utf8_lossy(line.bytes).into_owned()));
    };
    let mut demux = Demux::default();
    for piece in bytes.chunks(size) {
        demux.push(piece, &mut each);
    }
    if finish {
        demux.finish(&mut each);
    }
    lines
}

#[expect(clippy::unnecessary_wraps, reason = "what lines are compared with")]
fn some(at: &str) -> Option<String> {
    Some(at.into())
}

#[test]
fn frames_become_lines_in_pieces_of_any_size() {
    let bytes = [
        frame(1, &format!("{T1} INFO one\n")),
        frame(2, &format!("{T2} ERROR two\n")),
        frame(1, &format!("{T1} \n")),
        frame(1, &format!("{T1}\n")),
        frame(1, ""),
        frame(1, "no stamp\n"),
        frame(3, "Error grabbing logs: invalid character"),
        frame(1, &format!("{T1} two\nlines\n")),
    ]
    .concat();
    let expected = [
        (some("51.897993094"), Stream::Stdout, "INFO one".to_owned()),
        (some("52.000000001"), Stream::Stderr, "ERROR two".into()),
        (some("51.897993094"), Stream::Stdout, String::new()),
        (some("51.897993094"), Stream::Stdout, String::new()),
        (None, Stream::Stdout, "no stamp".into()),
        (None, Stream::Stderr, "Error grabbing logs: invalid character".into()),
        (some("51.897993094"), Stream::Stdout, "two\nlines".into()),
    ];
    for size in 1..bytes.len() {
        assert_eq!(read(&bytes, size, false), expected, "pieces of {size}");
    }
}

#[test]
fn a_cut_line_is_joined_while_the_other_stream_goes_on() {
    let long = "x".repeat(PIECE);
    let bytes = [
        frame(1, &format!("{T1} {long}")),
        frame(2, &format!("{T2} other\n")),
        frame(1, &format!("{T1} {long}")),
        frame(1, &format!("{T1} end\n")),
    ]
    .concat();
    let lines = read(&bytes, 1000, false);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].2, "other");
    assert_eq!(lines[1].2, format!("{long}{long}end"));
    assert_eq!(lines[1].0, some("51.897993094"));
}

/// As a 20.10 engine sends it: the `local` driver leaves the end out of a line's last piece.
#[test]
fn a_cut_line_without_an_end_is_over_with_its_last_piece() {
    let long = "x".repeat(PIECE);
    for (last, whole) in [("end", format!("{long}end")), ("", long.clone())] {
        let bytes = [
            frame(1, &format!("{T1} {long}")),
            frame(2, &format!("{T2} between\n")),
            frame(1, &format!("{T1} {last}")),
            frame(1, &format!("{T2} bye\n")),
            // A run that ended in the middle of a line, and the next one.
            frame(1, &format!("{T1} prompt> ")),
            frame(1, &format!("{T1} {long}")),
            frame(1, &format!("{T2} begun\n")),
        ]
        .concat();
        for size in [1, 999, bytes.len()] {
            let texts: Vec<String> = read(&bytes, size, false).into_iter().map(|(.., text)| text).collect();
            assert_eq!(texts, ["between", &whole, "bye", "prompt> ", &long, "begun"], "pieces of {size}");
        }
    }
}

#[test]
fn the_last_line_without_an_end_is_kept_when_the_log_ends_and_left_when_it_breaks_off() {
    let cut = "x".repeat(PIECE);
    let bytes = [frame(1, &format!("{T1} done\n")), frame(1, &format!("{T2} {cut}"))].concat();
    assert_eq!(read(&bytes, 7, true).last().unwrap().2, cut);
    assert_eq!(read(&bytes, 7, false).len(), 1);
    let raw = format!("{T1} done\r\n{T2} prompt> ");
    assert_eq!(read(raw.as_bytes(), 7, true).last().unwrap().2, "prompt> ");
    assert_eq!(read(raw.as_bytes(), 7, false).len(), 1);
}

#[test]
fn a_terminals_bytes_have_no_frames() {
    let long = "y".repeat(PIECE);
    let raw = format!("{T1} tty line\r\n{T2} {long}{T2} {long}{T2} end\r\n{T1} \u{1}\u{2}\r\n");
    for size in [1, 13, 4096, raw.len()] {
        let lines = read(raw.as_bytes(), size, false);
        let texts: Vec<&str> = lines.iter().map(|l| l.2.as_str()).collect();
        assert_eq!(texts, ["tty line", &format!("{long}{long}end"), "\u{1}\u{2}"]);
    }
}

#[test]
fn an_endless_line_is_bounded() {
    let piece = "z".repeat(PIECE);
    let mut bytes = Vec::new();
    for _ in 0..100 {
        bytes.extend(frame(1, &format!("{T1} {piece}")));
    }
    bytes.extend(frame(1, &format!("{T1} end\n")));
    bytes.extend(frame(1, &format!("{T1} next\n")));
    let lines = read(&bytes, 9999, false);
    assert_eq!(lines.len(), 2);
    assert!((LINE_LIMIT..LINE_LIMIT + 64).contains(&lines[0].2.len()), "{}", lines[0].2.len());
    assert_eq!(lines[1].2, "next");

    let raw = format!("{T1} {}\r\n{T1} next\r\n", "z".repeat(2 * LINE_LIMIT));
    let lines = read(raw.as_bytes(), 9999, false);
    assert_eq!((lines[0].2.len(), lines[1].2.as_str()), (LINE_LIMIT, "next"));
    // A frame that claims four gigabytes takes no more memory than a line.
    let mut demux = Demux::default();
    demux.push(&[1, 0, 0, 0, 255, 255, 255, 255], &mut |_| {});
    for _ in 0..300 {
        demux.push(&[b'a'; 8192], &mut |_| panic!("not complete"));
    }
    assert!(demux.body.len() <= LINE_LIMIT + 64);
}

#[test]
fn no_bytes_panic() {
    let mut seed = 7_u64;
    for _ in 0..2000 {
        let bytes: Vec<u8> = (0..64)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                seed.to_le_bytes()[4] & if seed & 1 == 0 { 3 } else { 255 }
            })
            .collect();
        read(&bytes, 5, true);
    }
}
