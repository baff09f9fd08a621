//! `AWS::SecretsManager::Secret`.

use super::{Properties, TemplateError};

/// How long a generated string is when the template does not say: CloudFormation's default.
const DEFAULT_LENGTH: u32 = 32;

/// A secret.
#[derive(Clone, Debug)]
pub struct Secret {
    /// The physical name.
    pub name: String,
    /// The value, where the template gives one.
    pub value: Option<String>,
    /// What to generate otherwise.
    pub generate: GeneratedString,
}

/// `GenerateSecretString`.
#[derive(Clone, Debug)]
pub struct GeneratedString {
    /// How many characters.
    pub length: u32,
    /// The characters to choose from.
    pub alphabet: Vec<char>,
    /// A JSON object and the key under which the generated string is put into it.
    pub template: Option<(String, String)>,
}

impl Secret {
    pub(super) fn read(name: String, mut properties: Properties) -> Result<Self, TemplateError> {
        properties.ignore(&["Name", "Description", "KmsKeyId", "Tags"]);
        let value = properties.text("SecretString")?;
        let generate = match properties.child("GenerateSecretString")? {
            Some(generate) => GeneratedString::read(generate)?,
            None => {
                GeneratedString { length: DEFAULT_LENGTH, alphabet: ('!'..='~').collect(), template: None }
            }
        };
        properties.finish()?;
        Ok(Self { name, value, generate })
    }
}

impl GeneratedString {
    fn read(mut properties: Properties) -> Result<Self, TemplateError> {
        properties.ignore(&["RequireEachIncludedType"]);
        let length = properties.count("PasswordLength", 1, 4096)?.unwrap_or(DEFAULT_LENGTH);
        let excluded = properties.text("ExcludeCharacters")?.unwrap_or_default();
        let no_numbers = properties.flag("ExcludeNumbers")?;
        let no_lowercase = properties.flag("ExcludeLowercase")?;
        let no_uppercase = properties.flag("ExcludeUppercase")?;
        let no_punctuation = properties.flag("ExcludePunctuation")?;
        let with_space = properties.flag("IncludeSpace")?;
        let alphabet: Vec<char> = (' '..='~')
            .filter(|c| with_space || *c != ' ')
            .filter(|c| !(no_numbers && c.is_ascii_digit()))
            .filter(|c| !(no_lowercase && c.is_ascii_lowercase()))
            .filter(|c| !(no_uppercase && c.is_ascii_uppercase()))
            .filter(|c| !(no_punctuation && c.is_ascii_punctuation()))
            .filter(|c| !excluded.contains(*c))
            .collect();
        if alphabet.is_empty() {
            return Err(TemplateError::new(properties.at(), "leaves no character to choose from"));
        }
        let template = properties.text("SecretStringTemplate")?;
        let key = properties.text("GenerateStringKey")?;
        let template = match (template, key) {
            (Some(template), Some(key)) => Some((template, key)),
            (None, None) => None,
            _ => {
                let problem = "has one of SecretStringTemplate and GenerateStringKey without the other";
                return Err(TemplateError::new(properties.at(), problem));
            }
        };
        properties.finish()?;
        Ok(Self { length, alphabet, template })
    }
}
