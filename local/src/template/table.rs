//! `AWS::DynamoDB::Table`.

use std::collections::BTreeMap;

use super::{Properties, TemplateError};

/// A table or index key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The partition key.
    pub hash: String,
    /// The sort key.
    pub range: Option<String>,
}

/// A global secondary index.
#[derive(Clone, Debug)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: Key,
    /// `ALL`, `KEYS_ONLY` or `INCLUDE`.
    pub projection: String,
    /// The further attributes of `INCLUDE`.
    pub included: Vec<String>,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// The physical name.
    pub name: String,
    /// The key attributes of the table and its indexes, with their types `S`, `N` or `B`.
    pub attributes: BTreeMap<String, String>,
    /// The primary key.
    pub key: Key,
    /// The global secondary indexes.
    pub indexes: Vec<Index>,
    /// The stream's view type, as `NEW_AND_OLD_IMAGES`.
    pub stream: Option<String>,
    /// The attribute that says when an item expires.
    pub time_to_live: Option<String>,
}

impl Table {
    pub(super) fn read(name: String, mut properties: Properties) -> Result<Self, TemplateError> {
        properties.ignore(&[
            "TableName",
            "BillingMode",
            "DeletionProtectionEnabled",
            "PointInTimeRecoverySpecification",
        ]);
        let mut attributes = BTreeMap::new();
        for mut definition in properties.children("AttributeDefinitions")? {
            let attribute = definition.required_text("AttributeName")?;
            attributes.insert(attribute, definition.required_text("AttributeType")?);
            definition.finish()?;
        }
        let key = Key::read(&mut properties)?;
        let mut indexes = Vec::new();
        for mut index in properties.children("GlobalSecondaryIndexes")? {
            let (projection, included) = match index.child("Projection")? {
                None => return Err(index.error("Projection", "is missing")),
                Some(mut projection) => {
                    let read =
                        (projection.required_text("ProjectionType")?, projection.texts("NonKeyAttributes")?);
                    projection.finish()?;
                    read
                }
            };
            let name = index.required_text("IndexName")?;
            indexes.push(Index { name, key: Key::read(&mut index)?, projection, included });
            index.finish()?;
        }
        let stream = match properties.child("StreamSpecification")? {
            None => None,
            Some(mut stream) => {
                let view = stream.required_text("StreamViewType")?;
                stream.finish()?;
                Some(view)
            }
        };
        let time_to_live = match properties.child("TimeToLiveSpecification")? {
            None => None,
            Some(mut ttl) => {
                let attribute = ttl.required_text("AttributeName")?;
                let enabled = ttl.flag("Enabled")?;
                ttl.finish()?;
                enabled.then_some(attribute)
            }
        };
        properties.finish()?;
        Ok(Self { name, attributes, key, indexes, stream, time_to_live })
    }
}

impl Key {
    fn read(properties: &mut Properties) -> Result<Self, TemplateError> {
        let (mut hash, mut range) = (None, None);
        for mut element in properties.children("KeySchema")? {
            let attribute = element.required_text("AttributeName")?;
            match element.required_text("KeyType")?.as_str() {
                "HASH" => hash = Some(attribute),
                "RANGE" => range = Some(attribute),
                _ => return Err(element.error("KeyType", "is neither HASH nor RANGE")),
            }
            element.finish()?;
        }
        let hash = hash.ok_or_else(|| properties.error("KeySchema", "has no HASH key"))?;
        Ok(Self { hash, range })
    }
}
