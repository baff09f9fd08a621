//! Insertions into texts that were written by hand.

use anyhow::{Context, Result, ensure};

/// Inserts before the one place of `anchor`.
///
/// # Errors
/// It is not there once.
pub(super) fn before(text: &str, anchor: &str, addition: &str) -> Result<String> {
    ensure!(text.matches(anchor).count() == 1, "`{anchor}` is not there once");
    Ok(text.replacen(anchor, &format!("{addition}{anchor}"), 1))
}

/// Inserts lines behind the last line of a block that has `needle`. A block goes from its first line to the next that
/// is indented as little and begins something else.
///
/// # Errors
/// There is no such block, or no such line in it.
pub(super) fn behind_last(text: &str, block: &str, needle: &str, added: &str) -> Result<String> {
    let (start, end) = block_of(text, block)?;
    let lines: Vec<_> = text.lines().collect();
    let last = (start..end).rev().find(|&at| lines[at].contains(needle));
    let last = last.with_context(|| format!("`{block}` has no line with `{needle}`"))?;
    Ok(with_line(&lines, last + 1, added.trim_end()))
}

/// Inserts a line into a list of lines that begin with `prefix`, in its order.
///
/// # Errors
/// There is no such line in the block.
pub(super) fn in_order(text: &str, block: &str, prefix: &str, line: &str) -> Result<String> {
    let (start, end) = block_of(text, block)?;
    let lines: Vec<_> = text.lines().collect();
    let ours: Vec<_> = (start..end).filter(|&at| lines[at].starts_with(prefix)).collect();
    let last = *ours.last().with_context(|| format!("`{block}` has no line that begins with `{prefix}`"))?;
    let at = ours.into_iter().find(|&at| lines[at] > line).unwrap_or(last + 1);
    Ok(with_line(&lines, at, line))
}

/// Inserts at the end of a section of template.yaml, by the beginning of its title.
///
/// # Errors
/// There is no such section.
pub(super) fn at_end_of_section(text: &str, title: &str, addition: &str) -> Result<String> {
    let lines: Vec<_> = text.lines().collect();
    let is_rule = |line: &str| line.trim_start().starts_with("# -----");
    let begins = |at: usize| lines[at].trim_start().starts_with(&format!("# {title}"));
    let titles: Vec<_> = (1..lines.len()).filter(|&at| begins(at) && is_rule(lines[at - 1])).collect();
    let [title_at] = titles[..] else { anyhow::bail!("there are {} sections `{title}`", titles.len()) };
    let body = title_at + 2;
    let end = (body..lines.len()).find(|&at| is_rule(lines[at])).unwrap_or(lines.len());
    let mut all = lines[..end].join("\n").trim_end().to_owned();
    all.push_str("\n\n");
    all.push_str(addition.trim_end());
    all.push_str("\n\n");
    all.push_str(&lines[end..].join("\n"));
    Ok(all.trim_end().to_owned() + "\n")
}

/// The lines of a block: from the one that is `block` to the next that begins another.
fn block_of(text: &str, block: &str) -> Result<(usize, usize)> {
    let lines: Vec<_> = text.lines().collect();
    let starts: Vec<_> = (0..lines.len()).filter(|&at| lines[at] == block).collect();
    let [start] = starts[..] else { anyhow::bail!("`{block}` is there {} times", starts.len()) };
    let width = indent(block);
    let ends = |line: &str| !line.trim().is_empty() && indent(line) <= width && line.trim() != "]";
    let is_flat = lines.get(start + 1).is_some_and(|next| indent(next) <= width);
    let end = if is_flat {
        (start + 1..lines.len()).find(|&at| lines[at].trim().is_empty())
    } else {
        (start + 1..lines.len()).find(|&at| ends(lines[at]))
    };
    Ok((start, end.unwrap_or(lines.len())))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn with_line(lines: &[&str], at: usize, line: &str) -> String {
    let mut all = lines.to_vec();
    all.insert(at, line);
    all.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "\
  # -----\n  # First: things\n  # -----\n\n  A:\n    list:\n      - x1\n      - x2\n    other:\n      - y\n\n\
  # -----\n  # Second\n  # -----\n\n  B:\n    list:\n      - x3\n";

    #[test]
    fn a_line_goes_behind_the_last_of_its_kind_in_its_block() {
        let text = behind_last(YAML, "  A:", "- x", "      - x9").unwrap();
        assert_eq!(text, YAML.replace("      - x2\n", "      - x2\n      - x9\n"));
        assert!(behind_last(YAML, "  A:", "- z", "      - x9").is_err());
        assert!(behind_last(YAML, "  C:", "- x", "      - x9").is_err());
    }

    #[test]
    fn a_section_is_added_to_at_its_end() {
        let text = at_end_of_section(YAML, "First", "  C:\n    n: 1\n").unwrap();
        assert_eq!(text, YAML.replace("      - y\n\n", "      - y\n\n  C:\n    n: 1\n\n"));
        let text = at_end_of_section(YAML, "Second", "  C:\n    n: 1\n").unwrap();
        assert_eq!(text, format!("{YAML}\n  C:\n    n: 1\n"));
        assert!(at_end_of_section(YAML, "Third", "").is_err());
    }

    #[test]
    fn a_line_goes_where_the_order_wants_it() {
        let text = "[dependencies]\na = 1\nc = 1\n\n[lints]\nb = 1\n";
        let with = |line: &str, place: &str| text.replace(place, &format!("{line}\n{place}"));
        assert_eq!(in_order(text, "[dependencies]", "", "b = 1").unwrap(), with("b = 1", "c = 1\n"));
        assert_eq!(in_order(text, "[dependencies]", "", "d = 1").unwrap(), with("d = 1", "\n[lints]"));
    }

    #[test]
    fn an_anchor_must_be_there_once() {
        assert_eq!(before("a b", "b", "c ").unwrap(), "a c b");
        assert!(before("b b", "b", "").is_err());
    }
}
