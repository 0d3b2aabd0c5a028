//! Measures of every subject, side by side.

use aiconform_verdict::Judgement;

/// A table: subjects as columns, measures as rows.
pub struct Table {
    /// The subjects.
    pub subjects: Vec<String>,
    /// Name of a measure, and its value for every subject; empty where it was not measured.
    pub rows: Vec<(String, Vec<String>)>,
}

/// The table of a requirement; without rows when nothing was measured.
pub fn table(judgement: &Judgement) -> Table {
    let measured: Vec<_> = judgement.subjects.iter().filter(|subject| !subject.measures.is_empty()).collect();
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for measure in measured.iter().flat_map(|subject| &subject.measures) {
        if rows.iter().any(|(name, _)| *name == measure.name) {
            continue;
        }
        let values = measured.iter().map(|subject| {
            let found = subject.measures.iter().find(|found| found.name == measure.name);
            found.map(|found| found.value.clone()).unwrap_or_default()
        });
        rows.push((measure.name.clone(), values.collect()));
    }
    Table { subjects: measured.iter().map(|subject| subject.id.clone()).collect(), rows }
}
