//! How colours are seen: contrast, difference, and with a kind of cone missing.

/// Linear light of a colour (sRGB, IEC 61966-2-1).
fn linear(colour: [u8; 3]) -> [f64; 3] {
    colour.map(|c| {
        let c = f64::from(c) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    })
}

/// Contrast of two colours, 1 to 21 (WCAG 2.2).
pub fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let luminance = |c: [u8; 3]| {
        let [r, g, b] = linear(c);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// What an eye with all cones sees, in linear light.
pub fn all(colour: [u8; 3]) -> [f64; 3] {
    linear(colour)
}

/// What an eye without red cones sees (Machado, Oliveira and Fernandes 2009, severity 1).
pub fn protan(colour: [u8; 3]) -> [f64; 3] {
    times([[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]], colour)
}

/// What an eye without green cones sees (as above).
pub fn deutan(colour: [u8; 3]) -> [f64; 3] {
    times([[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]], colour)
}

fn times(matrix: [[f64; 3]; 3], colour: [u8; 3]) -> [f64; 3] {
    let light = linear(colour);
    matrix.map(|row| row.iter().zip(light).map(|(m, l)| m * l).sum::<f64>().clamp(0.0, 1.0))
}

/// How far apart two colours of linear light look (CIE 1976, D65): 2 is just seen, 100 is black and white.
pub fn difference(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (lab(a), lab(b));
    a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
}

fn lab([r, g, b]: [f64; 3]) -> [f64; 3] {
    let x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505;
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089;
    let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
    [116.0 * f(y) - 16.0, 500.0 * (f(x) - f(y)), 200.0 * (f(y) - f(z))]
}

#[test]
fn the_measures_agree_with_what_is_known() {
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 0.01);
    assert!((contrast([119, 119, 119], [255; 3]) - 4.48).abs() < 0.01);
    assert!((difference(all([0; 3]), all([255; 3])) - 100.0).abs() < 0.1);
}
