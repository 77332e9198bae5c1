//! The colours and attributes a line gives itself (SGR of ECMA-48), as plain data that a theme can read.

/// A colour as a line names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ansi {
    /// One of the terminal's 256.
    Index(u8),
    Rgb(u8, u8, u8),
}

/// How a piece of a line asks to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sgr {
    /// `None` is the terminal's own.
    pub fg: Option<Ansi>,
    pub bg: Option<Ansi>,
    pub bold: bool,
    pub dim: bool,
    pub italic: bool,
    pub underline: bool,
    pub reverse: bool,
}

impl Sgr {
    /// Applies the parameters of one sequence, what stands between `CSI` and `m`. What is not known changes nothing.
    pub fn apply(&mut self, parameters: &str) {
        let mut codes = parameters.split(';').map(|p| {
            // Parts after a colon refine a code: `4:0` is no underline, `38:2::r:g:b` a colour.
            let mut parts = p.split(':');
            (number(parts.next()), parts)
        });
        while let Some((code, mut parts)) = codes.next() {
            match code {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 => self.underline = parts.next() != Some("0"),
                7 => self.reverse = true,
                21 => self.underline = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                27 => self.reverse = false,
                30..=37 => self.fg = index(code - 30),
                39 => self.fg = None,
                40..=47 => self.bg = index(code - 40),
                49 => self.bg = None,
                90..=97 => self.fg = index(code - 90 + 8),
                100..=107 => self.bg = index(code - 100 + 8),
                38 | 48 => {
                    let within: Vec<u16> = parts.map(|p| number(Some(p))).collect();
                    let color = match within.as_slice() {
                        [] => extended(&mut codes.by_ref().map(|(code, _)| code)),
                        // With six parts the second names a colour space.
                        [2, _, r, g, b, ..] => extended(&mut [2, *r, *g, *b].into_iter()),
                        [..] => extended(&mut within.into_iter()),
                    };
                    if code == 38 {
                        self.fg = color.or(self.fg);
                    } else {
                        self.bg = color.or(self.bg);
                    }
                }
                _ => {}
            }
        }
    }
}

/// What follows 38 and 48: `5;n` or `2;r;g;b`.
fn extended(codes: &mut dyn Iterator<Item = u16>) -> Option<Ansi> {
    let mut part = || u8::try_from(codes.next()?).ok();
    match part()? {
        5 => Some(Ansi::Index(part()?)),
        2 => Some(Ansi::Rgb(part()?, part()?, part()?)),
        _ => None,
    }
}

fn index(code: u16) -> Option<Ansi> {
    u8::try_from(code).ok().map(Ansi::Index)
}

/// A code; none at all is 0, one that is no number is one that nobody knows.
fn number(text: Option<&str>) -> u16 {
    match text {
        None | Some("") => 0,
        Some(digits) => digits.parse().unwrap_or(u16::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_add_up_and_are_taken_back() {
        let plain = Sgr::default();
        let table: &[(&str, Sgr)] = &[
            ("31", Sgr { fg: Some(Ansi::Index(1)), ..plain }),
            ("1;97;44", Sgr { fg: Some(Ansi::Index(15)), bg: Some(Ansi::Index(4)), bold: true, ..plain }),
            ("38;5;208", Sgr { fg: Some(Ansi::Index(208)), ..plain }),
            ("48;2;1;2;3;4", Sgr { bg: Some(Ansi::Rgb(1, 2, 3)), underline: true, ..plain }),
            ("38:2::9:8:7", Sgr { fg: Some(Ansi::Rgb(9, 8, 7)), ..plain }),
            ("38:2:9:8:7", Sgr { fg: Some(Ansi::Rgb(9, 8, 7)), ..plain }),
            ("38:5:9;2", Sgr { fg: Some(Ansi::Index(9)), dim: true, ..plain }),
            ("1;3;4;7;22;23;24;27", plain),
            ("4:3", Sgr { underline: true, ..plain }),
            ("4:3;4:0", plain),
            ("31;", plain),
            ("", plain),
            ("99999;x;38;5", plain),
        ];
        for (parameters, expected) in table {
            let mut look = Sgr::default();
            look.apply(parameters);
            assert_eq!(look, *expected, "{parameters}");
        }
    }
}
