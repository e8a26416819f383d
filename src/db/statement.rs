//! Statements over many rows. They come in four sizes only, so that the drivers' caches of prepared statements hold them
//! all.
//!
//! The one thing in which the two databases differ is the placeholder. Both take `$n`, but SQLite keeps such names in a
//! list that it walks for every value that is bound: of a statement of 512 rows that is most of the time. So it gets `?`.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::Arguments;
use sqlx::any::AnyArguments;

use super::history;
use super::record::{Cell, Table};

/// Rows in one statement, largest first.
const SIZES: [usize; 4] = [512, 64, 8, 1];

/// What a statement does to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Verb {
    /// Whole rows, by primary key.
    Upsert(Table),
    /// By primary key.
    Delete(Table),
    /// By the first column of the primary key.
    DeleteUnder(Table),
    InsertHistory,
}

impl Verb {
    /// Values bound for one row.
    pub(super) fn width(self) -> usize {
        match self {
            Verb::Upsert(table) => table.shape().width(),
            Verb::Delete(table) => table.shape().keys.len(),
            Verb::DeleteUnder(_) => 1,
            Verb::InsertHistory => history::COLUMNS.len(),
        }
    }

    fn sql(self, rows: usize, placeholder: Placeholder) -> String {
        let mut out = Sql { text: String::new(), placeholder, bound: 0 };
        match self {
            Verb::Upsert(table) => {
                let shape = table.shape();
                out.insert(shape.name, &shape.columns().collect::<Vec<_>>(), rows);
                let kept: Vec<String> =
                    shape.rest.iter().map(|column| format!("{column} = excluded.{column}")).collect();
                out.text += &format!(" ON CONFLICT ({}) DO UPDATE SET {}", shape.keys.join(", "), kept.join(", "));
            }
            Verb::Delete(table) => match table.shape().keys {
                [only] => out.delete_in(table.shape().name, only, rows),
                several => out.delete_each(table.shape().name, several, rows),
            },
            Verb::DeleteUnder(table) => {
                let first = table.shape().keys.first().copied().unwrap_or_default();
                out.delete_in(table.shape().name, first, rows);
            }
            Verb::InsertHistory => out.insert(history::TABLE, &history::COLUMNS, rows),
        }
        out.text
    }
}

/// How a value that is bound is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placeholder {
    /// `?`
    Bare,
    /// `$1`, `$2`, …
    Numbered,
}

/// A statement in the making.
struct Sql {
    text: String,
    placeholder: Placeholder,
    bound: usize,
}

impl Sql {
    fn insert(&mut self, table: &str, columns: &[&str], rows: usize) {
        self.text += &format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
        for row in 0..rows {
            self.text += if row == 0 { "(" } else { ", (" };
            self.values(columns.len());
            self.text.push(')');
        }
    }

    fn delete_in(&mut self, table: &str, column: &str, rows: usize) {
        self.text += &format!("DELETE FROM {table} WHERE {column} IN (");
        self.values(rows);
        self.text.push(')');
    }

    /// Not by row values `IN (VALUES …)`, for which SQLite walks the whole table.
    fn delete_each(&mut self, table: &str, keys: &[&str], rows: usize) {
        self.text += &format!("DELETE FROM {table} WHERE ");
        for row in 0..rows {
            self.text += if row == 0 { "(" } else { " OR (" };
            for (at, key) in keys.iter().enumerate() {
                self.text += if at == 0 { "" } else { " AND " };
                self.text += &format!("{key} = ");
                self.values(1);
            }
            self.text.push(')');
        }
    }

    fn values(&mut self, count: usize) {
        for at in 0..count {
            self.text += if at == 0 { "" } else { ", " };
            self.bound += 1;
            match self.placeholder {
                Placeholder::Bare => self.text.push('?'),
                Placeholder::Numbered => self.text += &format!("${}", self.bound),
            }
        }
    }
}

/// The texts made so far.
#[derive(Debug)]
pub(super) struct Statements {
    placeholder: Placeholder,
    made: HashMap<(Verb, usize), Arc<str>>,
}

impl Statements {
    pub(super) fn new(placeholder: Placeholder) -> Self {
        Statements { placeholder, made: HashMap::new() }
    }

    pub(super) fn text(&mut self, verb: Verb, rows: usize) -> Arc<str> {
        self.made.entry((verb, rows)).or_insert_with(|| verb.sql(rows, self.placeholder).into()).clone()
    }
}

/// Cuts `rows` into slices of the four sizes, in order.
pub(super) fn slices<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rows.len())?;
        let (slice, rest) = rows.split_at(size);
        rows = rest;
        Some(slice)
    })
}

/// Binds the cells in their order.
///
/// Text is bound as `String`: sqlx 0.9's SQLite driver aborts on its shared slices. U+0000, which Postgres cannot hold,
/// becomes U+FFFD.
pub(super) fn arguments<'c>(cells: impl IntoIterator<Item = &'c Cell>) -> Result<AnyArguments, sqlx::Error> {
    let mut arguments = AnyArguments::default();
    for cell in cells {
        match cell {
            Cell::Int(value) => arguments.add(*value),
            Cell::Text(text) => arguments.add(text.as_deref().map(|text| match text.contains('\0') {
                true => text.replace('\0', "\u{fffd}"),
                false => text.to_owned(),
            })),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What SQLite allows in one statement since 3.32; Postgres allows twice that.
    const BIND_LIMIT: usize = 32_766;

    fn verbs() -> Vec<Verb> {
        let of_table = |table| [Verb::Upsert(table), Verb::Delete(table), Verb::DeleteUnder(table)];
        Table::ALL.into_iter().flat_map(of_table).chain([Verb::InsertHistory]).collect()
    }

    #[test]
    fn the_largest_statement_of_every_kind_fits_the_bind_limit() {
        for verb in verbs() {
            assert!(verb.width() * SIZES[0] <= BIND_LIMIT, "{verb:?}");
        }
    }

    #[test]
    fn statements_read_as_their_database_takes_them() {
        let cases = [
            (
                Verb::Upsert(Table::GroupMember),
                "INSERT INTO group_member (group_id, fingerprint, orphan) VALUES ($1, $2, $3), ($4, $5, $6) \
                 ON CONFLICT (group_id, fingerprint) DO UPDATE SET orphan = excluded.orphan",
            ),
            (
                Verb::Delete(Table::GroupMember),
                "DELETE FROM group_member WHERE (group_id = $1 AND fingerprint = $2) OR (group_id = $3 AND fingerprint = $4)",
            ),
            (Verb::Delete(Table::Alert), "DELETE FROM alert WHERE fingerprint IN ($1, $2)"),
            (Verb::DeleteUnder(Table::RuleAlert), "DELETE FROM rule_alert WHERE rule IN ($1, $2)"),
        ];
        for (verb, want) in cases {
            assert_eq!(verb.sql(2, Placeholder::Numbered), want);
            let bare = (1..=9).rev().fold(want.to_owned(), |text, n| text.replace(&format!("${n}"), "?"));
            assert_eq!(verb.sql(2, Placeholder::Bare), bare);
        }
    }

    #[test]
    fn rows_are_cut_into_the_four_sizes_and_none_is_lost() {
        let rows: Vec<usize> = (0..1162).collect();
        let sizes: Vec<usize> = slices(&rows).map(<[usize]>::len).collect();
        assert_eq!(sizes, [512, 512, 64, 64, 8, 1, 1]);
        assert_eq!(slices(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        assert_eq!(slices(&rows[..0]).count(), 0);
    }
}
