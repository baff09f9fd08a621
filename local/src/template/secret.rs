//! `AWS::SecretsManager::Secret`: a generated string of letters and digits.

use super::{Properties, TemplateError};

#[derive(Clone, Debug)]
pub(crate) struct Secret {
    pub(crate) name: String,
    /// How many characters its value has.
    pub(crate) length: u32,
}

impl Secret {
    pub(super) fn read(name: String, mut properties: Properties) -> Result<Self, TemplateError> {
        properties.ignore(&["Name", "Description"]);
        let Some(mut generate) = properties.child("GenerateSecretString")? else {
            return Err(properties.error("GenerateSecretString", "is missing"));
        };
        properties.finish()?;
        let length = generate.count("PasswordLength", 1, 4096)?;
        let length = length.ok_or_else(|| generate.error("PasswordLength", "is missing"))?;
        if !generate.flag("ExcludePunctuation")? {
            return Err(generate.error("ExcludePunctuation", "is not true"));
        }
        generate.finish()?;
        Ok(Self { name, length })
    }
}
