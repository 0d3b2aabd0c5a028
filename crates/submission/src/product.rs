//! `PRODUCT.yaml`, and the checklists it answers, which have the same form.

use crate::yaml::{Node, Place, Value, YamlError, next_document, read};

/// Most bytes that a product file may have; the longest real one has a fifth of it.
pub const LARGEST: u64 = 512 * 1024;

/// Most items of evidence that a requirement may have; the one with the most has eleven.
const MOST_EVIDENCE: usize = 500;

/// A product file. What does not have the programme's form stands in `misshapen`; the rest is read all the same.
#[derive(Clone, Debug, Default)]
pub struct Product {
    /// Keys and values of `metadata`; `None` when there is no such section.
    pub metadata: Option<Vec<(Node, Node)>>,
    /// The categories of `spec`; `None` when there is no such section.
    pub spec: Option<Vec<Category>>,
    /// Places over which the programme's own reader stumbles, and why.
    pub misshapen: Vec<(Place, String)>,
    /// Keys that are not the programme's.
    pub unknown: Vec<(Place, String)>,
    /// Line where another document begins, which the programme's reader leaves unread.
    pub unread: Option<usize>,
    /// Where there is more than anybody reads.
    too_much: Option<YamlError>,
}

/// A category of requirements.
#[derive(Clone, Debug)]
pub struct Category {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Its requirements.
    pub answers: Vec<Answer>,
}

/// Answer of a submission to a requirement.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Where it begins.
    pub place: Place,
    /// Id of the requirement.
    pub id: Field,
    /// The official sentence.
    pub description: Field,
    /// MUST or SHOULD.
    pub level: Field,
    /// Status: whether it is implemented.
    pub status: Field,
    /// Links and files.
    pub evidence: Vec<Field>,
    /// Where the evidence stands, or the answer when it has none.
    pub evidence_place: Place,
    /// Notes.
    pub notes: Field,
}

/// A text with its place; empty when it is not there.
#[derive(Clone, Debug, Default)]
pub struct Field {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

impl Product {
    /// Reads a product file or a checklist.
    ///
    /// # Errors
    /// When the text is no YAML, or has more in it than anybody reads.
    pub fn read(text: &str) -> Result<Product, YamlError> {
        let tree = read(text)?;
        let unread = next_document(text).map(|(_, line)| line);
        let mut product = Product { unread, ..Product::default() };
        let Value::Map(sections) = &tree.value else {
            product.misshapen.push((tree.place, format!("the file is {}, not a map", tree.kind())));
            return Ok(product);
        };
        for (key, value) in sections {
            match key.text() {
                Some("metadata") => product.read_metadata(value),
                Some("spec") => product.read_spec(value),
                _ => product.unknown.push((key.place, name(key))),
            }
        }
        match product.too_much.take() {
            Some(error) => Err(error),
            None => Ok(product),
        }
    }

    fn read_metadata(&mut self, value: &Node) {
        match &value.value {
            Value::Map(entries) => self.metadata = Some(entries.clone()),
            Value::Null => {}
            _ => self.misshapen.push((value.place, format!("metadata is {}, not a map", value.kind()))),
        }
    }

    fn read_spec(&mut self, value: &Node) {
        match &value.value {
            Value::Map(entries) => {
                let mut categories = Vec::new();
                for (key, value) in entries {
                    let name = name(key);
                    let answers = match &value.value {
                        Value::List(items) => items.iter().map(|item| self.answer(item)).collect(),
                        Value::Null => Vec::new(),
                        _ => {
                            let why = format!("spec.{name} is {}, not a list", value.kind());
                            self.misshapen.push((value.place, why));
                            Vec::new()
                        }
                    };
                    categories.push(Category { name, place: key.place, answers });
                }
                self.spec = Some(categories);
            }
            Value::Null => {}
            _ => self.misshapen.push((value.place, format!("spec is {}, not a map", value.kind()))),
        }
    }

    fn answer(&mut self, item: &Node) -> Answer {
        let mut answer = Answer { place: item.place, evidence_place: item.place, ..Answer::default() };
        let Value::Map(entries) = &item.value else {
            self.misshapen.push((item.place, format!("a requirement is {}, not a map", item.kind())));
            return answer;
        };
        for (key, value) in entries {
            let field = match key.text() {
                Some("id") => &mut answer.id,
                Some("description") => &mut answer.description,
                Some("level") => &mut answer.level,
                Some("status") => &mut answer.status,
                Some("notes") => &mut answer.notes,
                Some("evidence") => {
                    answer.evidence_place = key.place;
                    answer.evidence = self.evidence(value);
                    continue;
                }
                _ => {
                    self.unknown.push((key.place, name(key)));
                    continue;
                }
            };
            *field = self.field(value, &name(key));
        }
        answer
    }

    /// One text of a requirement. What is no list or map is taken as it is written, as the programme's reader does.
    fn field(&mut self, value: &Node, what: &str) -> Field {
        let text = match &value.value {
            Value::Text(text) | Value::Other(text) => text.clone(),
            Value::Null => String::new(),
            Value::List(_) | Value::Map(_) => {
                self.misshapen.push((value.place, format!("{what} is {}, not a text", value.kind())));
                String::new()
            }
        };
        Field { text, place: value.place }
    }

    fn evidence(&mut self, value: &Node) -> Vec<Field> {
        match &value.value {
            Value::List(items) => {
                if items.len() > MOST_EVIDENCE {
                    let why =
                        format!("evidence has {} items, which is more than {MOST_EVIDENCE}", items.len());
                    self.too_much.get_or_insert(YamlError { place: value.place, why });
                }
                let read = items.iter().take(MOST_EVIDENCE);
                read.map(|item| self.field(item, "an item of evidence")).collect()
            }
            Value::Null => Vec::new(),
            _ => {
                let nothing = value.text().is_some_and(crate::rules::is_nothing);
                let instead = if nothing { "; leave the list empty: []" } else { "" };
                let why = format!("evidence is {}, not a list of links and files{instead}", value.kind());
                self.misshapen.push((value.place, why));
                // Read all the same: what it says may be worth a word of its own.
                value
                    .text()
                    .map(|text| Field { text: text.to_owned(), place: value.place })
                    .into_iter()
                    .collect()
            }
        }
    }

    /// A key of `metadata` by its name in camel case, else in snake case, as the programme looks for it.
    pub fn field_of(&self, key: &str) -> Option<(&Node, &Node)> {
        let entries = self.metadata.as_ref()?;
        let find = |wanted: &str| {
            let entry = entries.iter().find(|(name, _)| name.text() == Some(wanted))?;
            Some((&entry.0, &entry.1))
        };
        find(key).or_else(|| find(&snake_case(key)))
    }

    /// The text of a key of `metadata`, with its place.
    pub fn text_of(&self, key: &str) -> Option<(&str, Place)> {
        let (_, value) = self.field_of(key)?;
        Some((value.text()?, value.place))
    }

    /// All requirements, with their categories.
    pub fn answers(&self) -> impl Iterator<Item = (&Category, &Answer)> {
        let categories = self.spec.as_deref().unwrap_or_default();
        categories.iter().flat_map(|category| category.answers.iter().map(move |answer| (category, answer)))
    }

    /// Answer to a requirement in its category; of several the last, as the programme takes it.
    pub fn answer_of(&self, category: &str, id: &str) -> Option<&Answer> {
        self.answers()
            .filter(|(there, answer)| there.name == category && answer.id.text == id)
            .map(|(_, answer)| answer)
            .last()
    }
}

impl Answer {
    /// Its evidence without empty items.
    pub fn links(&self) -> impl Iterator<Item = &Field> {
        self.evidence.iter().filter(|link| !link.text.is_empty())
    }

    /// Tells whether it says that the requirement is implemented.
    pub fn implemented(&self) -> bool {
        self.status.text == "Implemented"
    }
}

fn name(key: &Node) -> String {
    match &key.value {
        Value::Text(text) | Value::Other(text) => text.clone(),
        _ => format!("({})", key.kind()),
    }
}

/// `kubernetesVersion` as `kubernetes_version`, and `k8sConformanceUrl` as `k8s_conformance_url`.
pub fn snake_case(key: &str) -> String {
    let mut snake = String::new();
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_another_form_is_named_and_the_rest_is_read() {
        let product = Product::read(
            "metadata:\n  platform_name: Cirrus\nspec:\n  security:\n    - id: secure_accelerator_access\n      evidence: N/A\n      level: 1\n      extra: 1\n",
        )
        .unwrap();
        assert_eq!(product.text_of("platformName").unwrap().0, "Cirrus");
        let answer = product.answer_of("security", "secure_accelerator_access").unwrap();
        assert_eq!((answer.evidence[0].text.as_str(), answer.level.text.as_str()), ("N/A", "1"));
        assert_eq!((product.misshapen.len(), product.misshapen[0].0.line), (1, 6));
        assert_eq!(product.unknown[0].1, "extra");
        assert_eq!(snake_case("k8sConformanceUrl"), "k8s_conformance_url");
    }
}
