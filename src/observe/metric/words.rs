//! A figure of unknown unit as short text.

/// A figure to four digits that matter: `0.1235`, `12346`, `NaN`.
#[must_use]
pub fn figure(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs().log10().floor();
    let digits = (3.0 - magnitude).clamp(0.0, 9.0);
    let scale = 10_f64.powf(digits);
    ((value * scale).round() / scale).to_string()
}
