//! Exact money: whole minor units and an ISO 4217 currency. No floating point anywhere.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest amount that the shop handles, in minor units: 15 digits, which every JSON reader keeps
/// exactly (RFC 8259 section 6 warns of the rest).
pub const MAX_AMOUNT: i64 = 999_999_999_999_999;

/// Why a text or a sum is no amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a plain decimal number, such as `29.99`.
    #[error("write the amount as a plain decimal number")]
    NotADecimal,
    /// More digits after the point than the currency has.
    #[error("the currency has {0} digits after the decimal point")]
    TooManyDigits(u32),
    /// Beyond [`MAX_AMOUNT`].
    #[error("the amount is too large")]
    TooLarge,
    /// Two amounts of different currencies met in one sum.
    #[error("the amounts are in different currencies")]
    MixedCurrencies,
}

/// An ISO 4217 currency that has minor units (possibly none after the point, as the yen).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The US dollar, the shop's default.
    pub const USD: Self = Self(iso_currency::Currency::USD);

    /// The three-letter code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Whether the currency is in force: on ISO 4217's list one, and money that people pay with. Funds and units of
    /// account (`CLF`, `XDR`), metals and test codes are not, nor are currencies that were withdrawn; what is stored
    /// in those stays readable.
    #[must_use]
    pub fn is_in_force(self) -> bool {
        // The Venezuelan VES stays on list one beside the VED, which counts the same money in larger units.
        let is_withdrawn = self.0.is_superseded().is_some() && self.0 != iso_currency::Currency::VES;
        !is_withdrawn && !self.0.is_fund() && !self.0.is_special()
    }

    /// Digits after the decimal point: 2 for USD, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn digits(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }

    /// Reads an amount in this currency from the text of a decimal number.
    ///
    /// # Errors
    /// Anything but an optional minus, digits, and at most [`Currency::digits`] digits after a point; and
    /// amounts beyond [`MAX_AMOUNT`].
    pub fn parse_amount(self, text: &str) -> Result<Money, AmountError> {
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || (unsigned.contains('.') && !is_number(fraction)) {
            return Err(AmountError::NotADecimal);
        }
        // 29.990 is 29.99: zeros at the end say nothing more.
        let fraction = fraction.trim_end_matches('0');
        let digits = self.digits();
        let missing = u32::try_from(fraction.len())
            .ok()
            .and_then(|given| digits.checked_sub(given))
            .ok_or(AmountError::TooManyDigits(digits))?;
        let mut minor: i64 = 0;
        for byte in whole.bytes().chain(fraction.bytes()).chain((0..missing).map(|_| b'0')) {
            minor = minor * 10 + i64::from(byte - b'0');
            if minor > MAX_AMOUNT {
                return Err(AmountError::TooLarge);
            }
        }
        Ok(Money { minor: if negative { -minor } else { minor }, currency: self })
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        // Codes without a minor unit (XAU, XXX) are not for prices.
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.exponent().is_some())
            .map(Self)
            .ok_or(UnknownCurrency)
    }
}

/// The text is no ISO 4217 code of a currency with minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 4217 currency code")]
pub struct UnknownCurrency;

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "ISO 4217 code", "pattern": "^[A-Z]{3}$" })
    }
}

/// An amount of money. In events and items it is `{"amount": 5998, "currency": "USD"}` in minor units; the
/// HTTP API writes [`Money::decimal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// Minor units: cents of a dollar.
    #[serde(rename = "amount")]
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// Nothing, in a currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// This amount `quantity` times.
    ///
    /// # Errors
    /// [`AmountError::TooLarge`] beyond [`MAX_AMOUNT`].
    pub fn checked_mul(self, quantity: u32) -> Result<Self, AmountError> {
        self.with_minor(self.minor.checked_mul(i64::from(quantity)))
    }

    /// The sum of two amounts.
    ///
    /// # Errors
    /// [`AmountError::MixedCurrencies`], or [`AmountError::TooLarge`] beyond [`MAX_AMOUNT`].
    pub fn checked_add(self, other: Self) -> Result<Self, AmountError> {
        if self.currency != other.currency {
            return Err(AmountError::MixedCurrencies);
        }
        self.with_minor(self.minor.checked_add(other.minor))
    }

    fn with_minor(self, minor: Option<i64>) -> Result<Self, AmountError> {
        minor
            .filter(|minor| (-MAX_AMOUNT..=MAX_AMOUNT).contains(minor))
            .map(|minor| Self { minor, ..self })
            .ok_or(AmountError::TooLarge)
    }

    /// The amount as a decimal number with all of the currency's digits: `29.99`, `30.00`, `1200` (JPY).
    #[must_use]
    pub fn decimal(self) -> String {
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = self.currency.digits() as usize;
        let text = format!("{:0width$}", self.minor.unsigned_abs(), width = digits + 1);
        let (whole, fraction) = text.split_at(text.len() - digits);
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn amounts_are_read_exactly() {
        for (code, text, minor) in [
            ("USD", "29.99", 2999),
            ("USD", "29.9", 2990),
            ("USD", "29.990", 2999),
            ("USD", "30", 3000),
            ("USD", "-0.01", -1),
            ("JPY", "1200", 1200),
            ("KWD", "0.001", 1),
        ] {
            assert_eq!(
                currency(code).parse_amount(text).map(|money| money.minor),
                Ok(minor),
                "{code} {text}"
            );
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", ".", "1.", ".5", "1e2", "+1", "1,5", "0x1", " 1", "--1", "1.2.3", "٣"] {
            assert_eq!(Currency::USD.parse_amount(text), Err(AmountError::NotADecimal), "{text:?}");
        }
        assert_eq!(Currency::USD.parse_amount("1.001"), Err(AmountError::TooManyDigits(2)));
        assert_eq!(currency("JPY").parse_amount("1.5"), Err(AmountError::TooManyDigits(0)));
        assert_eq!(Currency::USD.parse_amount("10000000000000"), Err(AmountError::TooLarge));
        assert_eq!(Currency::USD.parse_amount(&"9".repeat(400)), Err(AmountError::TooLarge));
        for code in ["usd", "US", "XAU", "ZZZ", ""] {
            assert_eq!(code.parse::<Currency>(), Err(UnknownCurrency), "{code}");
        }
    }

    /// ISO 4217 list one, as of 2026: national currencies, without funds, metals, units of account and codes for
    /// tests.
    const IN_FORCE: &str = "\
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF \
        CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD \
        HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL \
        LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP \
        PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT \
        TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

    #[test]
    fn the_currencies_in_force_are_those_of_list_one() {
        let letters = || b'A'..=b'Z';
        let codes = letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])));
        let known = codes.filter_map(|code| std::str::from_utf8(&code).ok()?.parse::<Currency>().ok());
        let in_force: Vec<_> = known.filter(|currency| currency.is_in_force()).map(Currency::code).collect();
        assert_eq!(in_force, IN_FORCE.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn what_was_withdrawn_is_still_read_and_what_is_no_money_is_not_for_prices() {
        // Croatia and Bulgaria took the euro; the others were replaced.
        for code in ["HRK", "BGN", "SLL", "ZWL", "CUC"] {
            let currency = currency(code);
            assert!(!currency.is_in_force(), "{code}");
            assert_eq!(currency.parse_amount("1.50").map(|money| money.minor), Ok(150), "{code}");
        }
        for code in ["BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW", "XAD"] {
            assert!(!currency(code).is_in_force(), "{code}");
        }
        for code in ["XAU", "XAG", "XDR", "XTS", "XXX", "DEM", "ANG", "MRO", "STD", "BYR", "BTC", "EURO"] {
            assert_eq!(code.parse::<Currency>(), Err(UnknownCurrency), "{code}");
        }
    }

    #[test]
    fn sums_are_checked() {
        let most = Money { minor: MAX_AMOUNT, currency: Currency::USD };
        assert_eq!(most.checked_mul(2), Err(AmountError::TooLarge));
        assert_eq!(most.checked_add(Money { minor: 1, currency: Currency::USD }), Err(AmountError::TooLarge));
        assert_eq!(most.checked_add(Money::zero(currency("EUR"))), Err(AmountError::MixedCurrencies));
    }

    proptest! {
        #[test]
        fn decimals_read_back(minor in -MAX_AMOUNT..=MAX_AMOUNT, code in prop::sample::select(vec!["USD", "JPY", "KWD"])) {
            let money = Money { minor, currency: currency(code) };
            prop_assert_eq!(money.currency.parse_amount(&money.decimal()), Ok(money));
        }
    }
}
