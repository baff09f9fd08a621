//! Refuses what DynamoDB refuses and dynoxide takes: operands of a wrong type, or the same twice, in expressions;
//! names that no expression uses; a position outside of what a query asks for.

use serde_json::{Map, Value};

use super::expression::{Token, operand_after, operand_before, tokens};
use crate::cloud::AwsError;

/// The types that have an order.
const ORDERED: [&str; 3] = ["B", "N", "S"];
/// What `attribute_type` may ask for.
const TYPES: [&str; 10] = ["B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M"];
const CONDITIONS: [&str; 3] = ["ConditionExpression", "FilterExpression", "KeyConditionExpression"];

/// Checks an operation's request, as it is in JSON.
///
/// # Errors
/// A `ValidationException`, as DynamoDB answers it.
pub(super) fn check(operation: &str, body: &[u8]) -> Result<(), AwsError> {
    // The others have no expression of a kind that is checked here.
    if !["DeleteItem", "PutItem", "Query", "Scan", "TransactWriteItems", "UpdateItem"].contains(&operation) {
        return Ok(());
    }
    // What is no JSON is refused where it is decoded.
    let Ok(Value::Object(request)) = serde_json::from_slice(body) else { return Ok(()) };
    for item in request.get("TransactItems").and_then(Value::as_array).into_iter().flatten() {
        for (kind, action) in item.as_object().into_iter().flatten() {
            let Value::Object(action) = action else { continue };
            if kind == "Put" || kind == "Delete" {
                unused(action)?;
            }
            expressions(action)?;
        }
    }
    expressions(&request)?;
    position(&request)
}

fn invalid(message: String) -> AwsError {
    AwsError::client("ValidationException", message)
}

/// Names and values are for expressions.
fn unused(action: &Map<String, Value>) -> Result<(), AwsError> {
    for placeholders in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
        if action.contains_key(placeholders) && !action.contains_key("ConditionExpression") {
            return Err(invalid(format!("{placeholders} can only be specified when using expressions")));
        }
    }
    Ok(())
}

fn expressions(request: &Map<String, Value>) -> Result<(), AwsError> {
    for name in CONDITIONS {
        if let Some(text) = request.get(name).and_then(Value::as_str) {
            condition(&Expression::of(request, text))
                .map_err(|error| invalid(format!("Invalid {name}: {error}")))?;
        }
    }
    if let Some(text) = request.get("UpdateExpression").and_then(Value::as_str) {
        let checked = update(&Expression::of(request, text));
        checked.map_err(|error| invalid(format!("Invalid UpdateExpression: {error}")))?;
    }
    Ok(())
}

/// An expression with what its placeholders stand for.
struct Expression<'a> {
    tokens: Vec<Token>,
    values: Option<&'a Map<String, Value>>,
}

impl<'a> Expression<'a> {
    fn of(request: &'a Map<String, Value>, text: &str) -> Self {
        let names = request.get("ExpressionAttributeNames").and_then(Value::as_object);
        let values = request.get("ExpressionAttributeValues").and_then(Value::as_object);
        Self { tokens: tokens(text, names), values }
    }

    /// The value of a placeholder: its type, and what is in it.
    fn value(&self, operand: &str) -> Option<(&'a str, &'a Value)> {
        let (kind, value) = self.values?.get(operand)?.as_object()?.iter().next()?;
        Some((kind, value))
    }

    /// Refuses a literal operand that is of none of these types.
    fn must_be(&self, operand: &str, types: &[&str], operator: &str) -> Result<(), String> {
        match self.value(operand) {
            Some((kind, _)) if !types.contains(&kind) => Err(format!(
                "Incorrect operand type for operator or function; operator or function: {operator}, operand type: {kind}"
            )),
            _ => Ok(()),
        }
    }
}

/// A path is not compared with itself; a value or a `size` may be.
fn must_differ(first: &str, others: &[&str], operator: &str) -> Result<(), String> {
    if first.is_empty() || first.contains([':', '(']) || !others.contains(&first) {
        return Ok(());
    }
    Err(format!(
        "The first operand must be distinct from the remaining operands for this operator or function; operator: \
         {operator}, first operand: [{first}]"
    ))
}

fn condition(expression: &Expression<'_>) -> Result<(), String> {
    let tokens = &expression.tokens;
    for (place, token) in tokens.iter().enumerate() {
        let operator = token.as_str();
        match operator {
            "=" | "<>" | "<" | "<=" | ">" | ">=" => {
                let (left, right) = (operand_before(tokens, place), operand_after(tokens, place + 1).0);
                must_differ(&left, &[&right], operator)?;
                if operator != "=" && operator != "<>" {
                    expression.must_be(&left, &ORDERED, operator)?;
                    expression.must_be(&right, &ORDERED, operator)?;
                }
            }
            _ if token.is_keyword("BETWEEN") => {
                let operand = operand_before(tokens, place);
                let (low, next) = operand_after(tokens, place + 1);
                let (high, _) = operand_after(tokens, next + 1);
                must_differ(&operand, &[&low, &high], "BETWEEN")?;
                for operand in [&operand, &low, &high] {
                    expression.must_be(operand, &ORDERED, "BETWEEN")?;
                }
            }
            "begins_with" | "contains" | "attribute_type" => {
                let (first, next) = operand_after(tokens, place + 2);
                let (second, _) = operand_after(tokens, next + 1);
                must_differ(&first, &[&second], operator)?;
                if operator == "attribute_type" {
                    expression.must_be(&second, &["S"], operator)?;
                    let asked = expression.value(&second).and_then(|(_, value)| value.as_str());
                    if let Some(unknown) = asked.filter(|kind| !TYPES.contains(kind)) {
                        let known = TYPES.join(",");
                        return Err(format!(
                            "Invalid attribute type name found; type: {unknown}, valid types: {{{known}}}"
                        ));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// `ADD` takes numbers and sets, `DELETE` sets.
fn update(expression: &Expression<'_>) -> Result<(), String> {
    let mut clause = "";
    for (place, token) in expression.tokens.iter().enumerate() {
        if let Some(keyword) =
            ["SET", "REMOVE", "ADD", "DELETE"].into_iter().find(|word| token.is_keyword(word))
        {
            clause = keyword;
        } else if token.as_str().starts_with(':') && place > 0 {
            match clause {
                "ADD" => expression.must_be(token.as_str(), &["N", "SS", "NS", "BS"], "ADD")?,
                "DELETE" => expression.must_be(token.as_str(), &["SS", "NS", "BS"], "DELETE")?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// A query goes on from a key that it could have found.
fn position(request: &Map<String, Value>) -> Result<(), AwsError> {
    let start = request.get("ExclusiveStartKey").and_then(Value::as_object);
    let text = request.get("KeyConditionExpression").and_then(Value::as_str);
    let (Some(start), Some(text)) = (start, text) else { return Ok(()) };
    let expression = Expression::of(request, text);
    let tokens = &expression.tokens;
    let holds = |place: usize, token: &Token| {
        let of_start = |operand: &str| start.get(operand).and_then(|value| value.as_object()?.iter().next());
        let literal = |operand: &str| expression.value(operand);
        match token.as_str() {
            operator @ ("=" | "<" | "<=" | ">" | ">=") => {
                let (left, right) = (operand_before(tokens, place), operand_after(tokens, place + 1).0);
                let Some(order) = of_start(&left).zip(literal(&right)).and_then(compare) else { return true };
                match operator {
                    "=" => order.is_eq(),
                    "<" => order.is_lt(),
                    "<=" => order.is_le(),
                    ">" => order.is_gt(),
                    _ => order.is_ge(),
                }
            }
            "begins_with" => {
                let (left, next) = operand_after(tokens, place + 2);
                let (prefix, _) = operand_after(tokens, next + 1);
                let prefix = literal(&prefix).and_then(|(_, value)| value.as_str());
                let text = of_start(&left).and_then(|(_, value)| value.as_str());
                text.zip(prefix).is_none_or(|(text, prefix)| text.starts_with(prefix))
            }
            _ if token.is_keyword("BETWEEN") => {
                let left = operand_before(tokens, place);
                let (low, next) = operand_after(tokens, place + 1);
                let (high, _) = operand_after(tokens, next + 1);
                let order = |bound: &str| of_start(&left).zip(literal(bound)).and_then(compare);
                order(&low).is_none_or(std::cmp::Ordering::is_ge)
                    && order(&high).is_none_or(std::cmp::Ordering::is_le)
            }
            _ => true,
        }
    };
    if tokens.iter().enumerate().all(|(place, token)| holds(place, token)) {
        return Ok(());
    }
    Err(invalid("The provided starting key does not match the range key predicate".to_owned()))
}

/// The order of two texts or numbers; none of what has no order here.
fn compare(
    ((left_kind, left), (right_kind, right)): ((&String, &Value), (&str, &Value)),
) -> Option<std::cmp::Ordering> {
    let (left, right) = (left.as_str()?, right.as_str()?);
    match (left_kind.as_str(), right_kind) {
        ("S", "S") => Some(left.as_bytes().cmp(right.as_bytes())),
        ("N", "N") => Some(left.parse::<f64>().ok()?.total_cmp(&right.parse().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(operation: &str, body: &Value) -> Option<String> {
        check(operation, body.to_string().as_bytes()).err().map(|error| error.message)
    }

    fn refuses(operation: &str, body: &Value, part: &str) {
        let message = said(operation, body).unwrap_or_else(|| panic!("it is taken: {body}"));
        assert!(message.contains(part), "{message}");
    }

    fn put(condition: &str, values: &Value) -> Value {
        json!({ "ConditionExpression": condition, "ExpressionAttributeNames": { "#a": "a" },
                "ExpressionAttributeValues": values })
    }

    #[test]
    fn operands_have_a_type_that_fits() {
        for value in [json!({"BOOL": true}), json!({"M": {}}), json!({"L": []}), json!({"NULL": true})] {
            for condition in ["#a < :v", ":v >= b", "b BETWEEN :v AND :n", "b between :n and :v"] {
                let body = put(condition, &json!({ ":v": value, ":n": { "N": "1" } }));
                refuses("PutItem", &body, "Incorrect operand type");
            }
            assert_eq!(said("PutItem", &put("#a = :v AND b <> :v", &json!({ ":v": value }))), None);
        }
        let numbers = json!({ ":v": { "N": "1" }, ":w": { "N": "2" } });
        assert_eq!(said("PutItem", &put("size(#a) < :v OR b BETWEEN :v AND :w", &numbers)), None);
        refuses("PutItem", &put("attribute_type(#a, :v)", &json!({ ":v": { "S": "X" } })), "type: X");
        refuses(
            "PutItem",
            &put("attribute_type(#a, :v)", &json!({ ":v": { "N": "1" } })),
            "Incorrect operand",
        );
        assert_eq!(said("PutItem", &put("attribute_type(#a, :v)", &json!({ ":v": { "S": "NS" } }))), None);
    }

    #[test]
    fn an_operand_is_not_compared_with_itself() {
        let values = json!({ ":v": { "N": "1" } });
        for condition in
            ["#a = a", "a.b[1] <> #a.b[1]", "a BETWEEN #a AND :v", "contains(#a, a)", "begins_with(a, #a)"]
        {
            refuses(
                "Scan",
                &json!({ "FilterExpression": condition, "ExpressionAttributeNames": { "#a": "a" },
                "ExpressionAttributeValues": values }),
                "must be distinct",
            );
        }
        for condition in ["#a = b AND a = :v", ":v < :v", "size(a) = size(#a)"] {
            assert_eq!(said("PutItem", &put(condition, &values)), None, "{condition}");
        }
        assert_eq!(said("PutItem", &put("NOT (#a = :v) AND begins_with(b, :v)", &values)), None);
    }

    #[test]
    fn transactions_are_held_to_the_same() {
        let transaction = |item: Value| json!({ "TransactItems": [item] });
        let names = json!({ "#a": "a" });
        refuses(
            "TransactWriteItems",
            &transaction(json!({ "Put": { "ExpressionAttributeNames": names } })),
            "can only be",
        );
        let update = |expression: &str, value: Value| {
            transaction(
                json!({ "Update": { "UpdateExpression": expression, "ExpressionAttributeValues": { ":v": value } } }),
            )
        };
        refuses(
            "TransactWriteItems",
            &update("SET b = :v DELETE a :v", json!({ "N": "1" })),
            "operator or function: DELETE",
        );
        refuses("TransactWriteItems", &update("ADD a :v", json!({ "S": "x" })), "operator or function: ADD");
        assert_eq!(said("TransactWriteItems", &update("DELETE a :v", json!({ "SS": ["x"] }))), None);
        assert_eq!(said("TransactWriteItems", &update("SET a = :v REMOVE b", json!({ "S": "x" }))), None);
    }

    #[test]
    fn a_query_goes_on_within_its_bounds() {
        let query = |condition: &str, start: Value| {
            json!({ "KeyConditionExpression": condition, "ExclusiveStartKey": start,
                    "ExpressionAttributeValues": { ":p": { "S": "p" }, ":b": { "S": "b" }, ":d": { "S": "d" } } })
        };
        let at = |pk: &str, sk: &str| json!({ "pk": { "S": pk }, "sk": { "S": sk } });
        refuses("Query", &query("pk = :p", at("q", "c")), "does not match the range key");
        for (condition, inside, outside) in [
            ("pk = :p AND sk > :b", "c", "a"),
            ("pk = :p AND sk <= :b", "b", "c"),
            ("pk = :p AND sk BETWEEN :b AND :d", "d", "e"),
            ("pk = :p AND begins_with(sk, :b)", "bx", "c"),
        ] {
            assert_eq!(said("Query", &query(condition, at("p", inside))), None, "{condition}");
            refuses("Query", &query(condition, at("p", outside)), "does not match the range key");
        }
    }
}
