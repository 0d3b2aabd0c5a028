//! `-o`: a format, never a path.

use serde::Serialize;

/// How data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// Prints data to stdout as JSON or YAML; `Table` is left to the caller, and gives false.
pub fn print<T: Serialize>(format: Format, data: &T) -> anyhow::Result<bool> {
    match format {
        Format::Table => return Ok(false),
        Format::Json => anstream::println!("{}", serde_json::to_string_pretty(data)?),
        Format::Yaml => anstream::print!("{}", serde_saphyr::to_string(data)?),
    }
    Ok(true)
}

/// Rows under headings, as plain text: no borders, no colour.
pub fn table(headings: &[&str], rows: Vec<Vec<String>>) {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(headings.iter().map(|heading| heading.to_uppercase()));
    table.add_rows(rows);
    for line in table.lines() {
        anstream::println!("{}", line.trim_end());
    }
}
