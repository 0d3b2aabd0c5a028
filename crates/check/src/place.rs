//! Where in a file of the user something is wrong.

/// A file of the user that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}, column {column}: {why}")]
pub struct FileError {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Reason why it cannot be used.
    pub why: String,
}

impl FileError {
    /// An error at this many bytes from the start of the file's text.
    pub fn at(file: &str, text: &str, offset: usize, why: impl Into<String>) -> FileError {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        FileError {
            file: file.into(),
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
            // An error is one line.
            why: why.into().split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }

    /// The error of the TOML reader, which knows its place.
    pub fn of_toml(file: &str, text: &str, error: &toml::de::Error) -> FileError {
        FileError::at(file, text, error.span().map_or(0, |span| span.start), error.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let place = |offset| {
            let error = FileError::at("f", "aé\nb", offset, "no");
            (error.line, error.column)
        };
        // The second byte of a letter, and what lies behind the end, have a place too.
        assert_eq!([0, 1, 2, 3, 4, 9].map(place), [(1, 1), (1, 2), (1, 2), (1, 3), (2, 1), (2, 2)]);
    }
}
