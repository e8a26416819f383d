//! Statements over many rows, with `$n` placeholders, which both databases take. They come in four sizes only, so that
//! the drivers' caches of prepared statements hold them all.

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

    fn sql(self, rows: usize) -> String {
        match self {
            Verb::Upsert(table) => {
                let shape = table.shape();
                let columns: Vec<&str> = shape.columns().collect();
                let kept: Vec<String> = shape.rest.iter().map(|column| format!("{column} = excluded.{column}")).collect();
                format!(
                    "INSERT INTO {} ({}) VALUES {} ON CONFLICT ({}) DO UPDATE SET {}",
                    shape.name,
                    columns.join(", "),
                    placeholders(rows, columns.len()),
                    shape.keys.join(", "),
                    kept.join(", ")
                )
            }
            Verb::Delete(table) => {
                let shape = table.shape();
                match shape.keys {
                    [only] => delete_in(shape.name, only, rows),
                    several => format!(
                        "DELETE FROM {} WHERE ({}) IN (VALUES {})",
                        shape.name,
                        several.join(", "),
                        placeholders(rows, several.len())
                    ),
                }
            }
            Verb::DeleteUnder(table) => {
                let shape = table.shape();
                delete_in(shape.name, shape.keys.first().copied().unwrap_or_default(), rows)
            }
            Verb::InsertHistory => format!(
                "INSERT INTO {} ({}) VALUES {}",
                history::TABLE,
                history::COLUMNS.join(", "),
                placeholders(rows, history::COLUMNS.len())
            ),
        }
    }
}

fn delete_in(table: &str, column: &str, rows: usize) -> String {
    let values: Vec<String> = (1..=rows).map(|at| format!("${at}")).collect();
    format!("DELETE FROM {table} WHERE {column} IN ({})", values.join(", "))
}

/// `($1, $2), ($3, $4)`, …
fn placeholders(rows: usize, width: usize) -> String {
    let mut out = String::with_capacity(rows * width * 7);
    for row in 0..rows {
        out.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=width {
            if column > 1 {
                out.push_str(", ");
            }
            out.push('$');
            out.push_str(&(row * width + column).to_string());
        }
        out.push(')');
    }
    out
}

/// The texts made so far.
#[derive(Debug, Default)]
pub(super) struct Statements {
    made: HashMap<(Verb, usize), Arc<str>>,
}

impl Statements {
    pub(super) fn text(&mut self, verb: Verb, rows: usize) -> Arc<str> {
        self.made.entry((verb, rows)).or_insert_with(|| verb.sql(rows).into()).clone()
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
    fn statements_read_as_both_databases_take_them() {
        let cases = [
            (
                Verb::Upsert(Table::GroupMember),
                "INSERT INTO group_member (group_id, fingerprint, orphan) VALUES ($1, $2, $3), ($4, $5, $6) \
                 ON CONFLICT (group_id, fingerprint) DO UPDATE SET orphan = excluded.orphan",
            ),
            (
                Verb::Delete(Table::GroupMember),
                "DELETE FROM group_member WHERE (group_id, fingerprint) IN (VALUES ($1, $2), ($3, $4))",
            ),
            (Verb::Delete(Table::Alert), "DELETE FROM alert WHERE fingerprint IN ($1, $2)"),
            (Verb::DeleteUnder(Table::RuleAlert), "DELETE FROM rule_alert WHERE rule IN ($1, $2)"),
        ];
        for (verb, want) in cases {
            assert_eq!(verb.sql(2), want);
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
