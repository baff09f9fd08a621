//! Numbers as JSON writes them, without floating point.

/// Larger exponents give no number that any field takes, and must not make a text of that many zeros.
const MAX_EXPONENT: i32 = 40;

/// The digits of a JSON number that is whole, without its fraction and exponent; none where it is not whole. One
/// that is far out of every range is given as digits that no integer takes.
pub(crate) fn whole_number(number: &str) -> Option<String> {
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => ("-", number),
        None => ("", number),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some("0".to_owned());
    }
    let significant = digits.trim_end_matches('0');
    let zeros = i32::try_from(digits.len() - significant.len()).ok()?;
    let fraction = i32::try_from(fraction.len()).ok()?;
    let is_negative = exponent.starts_with('-');
    let exponent = exponent.trim_start_matches(['+', '-']).trim_start_matches('0');
    let exponent = match exponent {
        "" => 0,
        exponent => exponent.parse().unwrap_or(i32::MAX / 2),
    };
    // How many zeros stand behind the significant digits.
    let zeros = zeros - fraction + if is_negative { -exponent } else { exponent };
    let zeros = usize::try_from(zeros.min(MAX_EXPONENT)).ok()?;
    Some(format!("{sign}{significant}{}", "0".repeat(zeros)))
}
