//! What a trace has of an order: what was asked, written, published, delivered and decided about it, in order of time.

/// Characters of a line that are shown; the rest of a long one is rarely worth its room.
const WIDTH: usize = 600;
/// The length of an order's id.
const ID: usize = 30;

/// The first order that a text names.
#[must_use]
pub(crate) fn order_in(text: &str) -> Option<&str> {
    let start = text.find("ord_")?;
    text.get(start..start + ID).filter(|id| id[4..].bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// The lines of a trace that are about an order, with the messages and deliveries that carried its events.
#[must_use]
pub(crate) fn of_order(trace: &str, order: &str) -> Vec<String> {
    let mut lines_of_order = Vec::new();
    let mut messages: Vec<&str> = Vec::new();
    let mut just_published = false;
    for line in trace.lines() {
        let is_about = line.contains(order);
        // A publication is followed by the messages that it becomes.
        let mut words = line.split(' ').skip(1);
        let kind = words.next().unwrap_or_default();
        if kind == "queue" && line.ends_with(" sent") {
            if just_published {
                messages.extend(words.nth(1));
                lines_of_order.push(shortened(line));
            }
            continue;
        }
        if kind == "published" {
            just_published = is_about;
        }
        let carries =
            matches!(kind, "queue" | "deliver" | "completed") && messages.iter().any(|id| line.contains(id));
        if is_about || carries {
            lines_of_order.push(shortened(line));
        }
    }
    lines_of_order
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(WIDTH) {
        None => line.to_owned(),
        Some((end, _)) => format!("{}...", &line[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_found_in_a_text_and_its_lines_in_a_trace() {
        let order = "ord_0123456789abcdefghjkmnpqrs";
        let text = format!("the order {order} is pending");
        assert_eq!(order_in(&text), Some(order));
        assert_eq!(order_in("ord_short"), None);
        let trace = format!(
            "1 published T {{\"id\":\"{order}\"}}\n1 queue Q m-1 sent\n2 published T other\n2 queue Q m-2 sent\n\
             3 deliver Q f m-1,m-2 earlier=0\n4 deliver Q f m-2 earlier=0"
        );
        assert_eq!(of_order(&trace, order).len(), 3);
    }
}
