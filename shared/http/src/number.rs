//! Numbers as JSON writes them, without floating point.

/// Larger exponents give no number that any field takes, and must not make a text of that many zeros.
const MAX_EXPONENT: i64 = 40;

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
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let fraction = i64::try_from(fraction.len()).ok()?;
    let is_negative = exponent.starts_with('-');
    let exponent = exponent.trim_start_matches(['+', '-']).trim_start_matches('0');
    let exponent = match exponent {
        "" => 0,
        // One that is beyond any text's length is as good as any other such, and is added to without overflow.
        exponent => exponent.parse().unwrap_or(i64::MAX).min(i64::MAX / 2),
    };
    // How many zeros stand behind the significant digits.
    let zeros = zeros - fraction + if is_negative { -exponent } else { exponent };
    let zeros = usize::try_from(zeros.min(MAX_EXPONENT)).ok()?;
    Some(format!("{sign}{significant}{}", "0".repeat(zeros)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_exponent_is_too_much() {
        let bounds = [i64::from(i32::MAX), i64::MAX / 2, i64::MAX - 3];
        let exponents = bounds.into_iter().flat_map(|bound| bound - 3..=bound + 3);
        let texts: Vec<_> = exponents.map(|n| n.to_string()).chain(["9".repeat(400)]).collect();
        for exponent in &texts {
            for mantissa in ["1", "10", "1000", "1.5", "1.55", "0.001", "0.100", "12000.00"] {
                for sign in ["", "-"] {
                    let large = whole_number(&format!("{sign}{mantissa}e{exponent}")).unwrap();
                    assert!(large.len() > 39, "no integer takes {large}: {mantissa}e{exponent}");
                    assert_eq!(whole_number(&format!("{sign}{mantissa}E-{exponent}")), None);
                    assert_eq!(whole_number(&format!("{sign}0.00e{exponent}")).as_deref(), Some("0"));
                }
            }
        }
    }
}
