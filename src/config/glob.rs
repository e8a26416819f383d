//! File patterns as Go's `filepath.Glob` has them (contract prometheus §a, contract alertmanager §1.2): `*`, `?` and
//! `[a-z]`, `[^a-z]` within a path component, a backslash takes the next character as it is.

use std::path::{Component, Path, PathBuf};

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum GlobError {
    #[error("syntax error in pattern")]
    Pattern,
}

/// Whether the pattern names exactly one file.
pub(super) fn is_literal(pattern: &str) -> bool {
    !pattern.contains(['*', '?', '[', '\\'])
}

/// The files that match, sorted. A relative pattern is looked up in `dir` and gives paths relative to it; a directory
/// that cannot be read matches nothing.
///
/// # Errors
/// A malformed pattern, whatever files there are.
pub(super) fn glob(dir: &Path, pattern: &str) -> Result<Vec<PathBuf>, GlobError> {
    let mut found = vec![PathBuf::new()];
    for component in Path::new(pattern).components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => {
                let part = part.to_string_lossy();
                // The whole pattern is checked even where nothing is left to match it against.
                let part = Part::parse(&part)?;
                found = found.iter().flat_map(|base| part.expand(dir, base)).collect();
            }
            fixed => found.iter_mut().for_each(|path| path.push(fixed)),
        }
    }
    found.retain(|path| dir.join(path).is_file());
    found.sort();
    Ok(found)
}

/// One path component of a pattern.
enum Part {
    Literal(String),
    Wild(Vec<Token>),
}

enum Token {
    Char(char),
    Any,
    Many,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Part {
    fn parse(text: &str) -> Result<Part, GlobError> {
        if is_literal(text) {
            return Ok(Part::Literal(text.to_owned()));
        }
        let mut tokens = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            tokens.push(match c {
                '*' => Token::Many,
                '?' => Token::Any,
                '\\' => Token::Char(chars.next().ok_or(GlobError::Pattern)?),
                '[' => {
                    let negated = chars.next_if_eq(&'^').is_some();
                    let mut ranges = Vec::new();
                    while ranges.is_empty() || chars.next_if_eq(&']').is_none() {
                        let low = class_char(&mut chars)?;
                        let high = match chars.next_if_eq(&'-') {
                            Some(_) => class_char(&mut chars)?,
                            None => low,
                        };
                        ranges.push((low, high));
                    }
                    Token::Class { negated, ranges }
                }
                plain => Token::Char(plain),
            });
        }
        Ok(Part::Wild(tokens))
    }

    fn expand(&self, dir: &Path, base: &Path) -> Vec<PathBuf> {
        match self {
            Part::Literal(name) => vec![base.join(name)],
            Part::Wild(tokens) => {
                let entries = std::fs::read_dir(dir.join(base)).into_iter().flatten().flatten();
                entries
                    .filter_map(|entry| entry.file_name().into_string().ok())
                    .filter(|name| matches(tokens, &name.chars().collect::<Vec<_>>()))
                    .map(|name| base.join(name))
                    .collect()
            }
        }
    }
}

/// One end of a range: an unescaped `-` or `]` is none.
fn class_char(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<char, GlobError> {
    match chars.next() {
        None | Some('-' | ']') => Err(GlobError::Pattern),
        Some('\\') => chars.next().ok_or(GlobError::Pattern),
        Some(c) => Ok(c),
    }
}

/// On a mismatch only the last `*` needs to be tried again one character further, so this is quadratic at worst.
fn matches(tokens: &[Token], name: &[char]) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut last_many: Option<(usize, usize)> = None;
    while at < name.len() {
        let step = match tokens.get(token) {
            Some(Token::Many) => {
                last_many = Some((token, at));
                token += 1;
                continue;
            }
            Some(Token::Any) => true,
            Some(Token::Char(c)) => *c == name[at],
            Some(Token::Class { negated, ranges }) => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&name[at])) != *negated
            }
            None => false,
        };
        if step {
            token += 1;
            at += 1;
        } else if let Some((many, start)) = last_many {
            last_many = Some((many, start + 1));
            token = many + 1;
            at = start + 1;
        } else {
            return false;
        }
    }
    tokens[token..].iter().all(|token| matches!(token, Token::Many))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(pattern: &str, name: &str) -> bool {
        match Part::parse(pattern).unwrap() {
            Part::Literal(text) => text == name,
            Part::Wild(tokens) => matches(&tokens, &name.chars().collect::<Vec<_>>()),
        }
    }

    #[test]
    fn patterns_match_as_gos_do() {
        let yes = [
            ("*.yml", "node.yml"),
            ("*.yml", ".yml"),
            ("*a*b*c", "xaybaybc"),
            ("n?de.yml", "nöde.yml"),
            ("[a-cx].y", "b.y"),
            ("[^a-c].y", "d.y"),
            ("[\\]].y", "].y"),
            ("\\*.y", "*.y"),
            ("**", "anything"),
        ];
        for (pattern, name) in yes {
            assert!(is_match(pattern, name), "{pattern} {name}");
        }
        let no =
            [("*.yml", "node.yaml"), ("?.y", ".y"), ("[a-c].y", "d.y"), ("[!a].y", "b.y"), ("a*", "ba"), ("*a", "ab")];
        for (pattern, name) in no {
            assert!(!is_match(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn malformed_patterns_are_refused() {
        for pattern in ["[", "[]", "[a", "[a-]", "[-a]", "a\\", "nowhere/[", "[^]"] {
            assert_eq!(glob(Path::new("."), pattern), Err(GlobError::Pattern), "{pattern}");
        }
    }

    #[test]
    fn files_come_sorted_and_relative_to_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("rules/sub.yml")).unwrap();
        for name in ["rules/b.yml", "rules/a.yml", "rules/c.yaml", "rules/sub.yml/d.yml"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let found = |pattern: &str| -> Vec<String> {
            let paths = glob(dir.path(), pattern).unwrap();
            paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
        };
        assert_eq!(found("./rules/*.yml"), ["rules/a.yml", "rules/b.yml"]);
        assert_eq!(found("r*/*/*.yml"), ["rules/sub.yml/d.yml"]);
        assert_eq!(found("rules/a.yml"), ["rules/a.yml"]);
        assert_eq!(found("rules/sub.yml/../c.y*ml"), ["rules/sub.yml/../c.yaml"]);
        assert_eq!(found("nowhere/*.yml"), Vec::<String>::new());
        let absolute = dir.path().join("rules/*.yaml");
        assert_eq!(found(&absolute.to_string_lossy()), [dir.path().join("rules/c.yaml").to_string_lossy()]);
    }
}
