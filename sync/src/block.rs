//! Blocks of a file that are written, between words that are by hand.

use anyhow::{Result, ensure};

/// The text with the block of a name replaced: what stands between the line that has `sync: NAME` and the next that
/// has `/sync`, in whatever way the file's language writes comments.
///
/// # Errors
/// There is not exactly one such block.
pub(crate) fn replace(text: &str, name: &str, body: &str) -> Result<String> {
    let opens = format!("sync: {name} ");
    let lines: Vec<_> = text.lines().collect();
    let starts: Vec<_> = (0..lines.len()).filter(|&at| format!("{} ", lines[at]).contains(&opens)).collect();
    ensure!(starts.len() == 1, "there are {} blocks `sync: {name}`, not one", starts.len());
    let begin = starts[0] + 1;
    let end = lines[begin..].iter().position(|line| line.trim_end_matches(" -->").ends_with("/sync"));
    ensure!(end.is_some(), "the block `sync: {name}` has no end");
    let rest = &lines[begin + end.unwrap_or_default()..];
    let mut all: Vec<&str> = lines[..begin].to_vec();
    all.extend(body.lines());
    all.extend(rest);
    Ok(all.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_replaced_and_the_words_around_it_stay() {
        let text = "before\n<!-- sync: codes -->\nold\n<!-- /sync -->\nafter\n<!-- sync: codes-of-fields -->\n<!-- /sync -->\n";
        let new = text.replace("old\n", "new\nlines\n");
        assert_eq!(replace(text, "codes", "new\nlines\n").unwrap(), new);
        assert_eq!(replace(&new, "codes", "new\nlines\n").unwrap(), new);
        let code = "    // sync: services\n    // /sync\n";
        assert_eq!(
            replace(code, "services", "    x").unwrap(),
            "    // sync: services\n    x\n    // /sync\n"
        );
    }

    #[test]
    fn a_block_that_is_not_there_once_is_refused() {
        for text in ["", "// sync: a\n", "// sync: a\n// /sync\n// sync: a\n// /sync\n"] {
            assert!(replace(text, "a", "").is_err(), "{text}");
        }
    }
}
