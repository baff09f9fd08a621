//! `AWS::S3::Bucket`: what is private, encrypted and tidied on AWS is a name here.

use super::{Properties, TemplateError};

/// A bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// The physical name.
    pub name: String,
}

impl Bucket {
    pub(super) fn read(name: String, mut properties: Properties) -> Result<Self, TemplateError> {
        // The front door serves the pages and takes the files: to a browser both are one origin.
        properties.ignore(&[
            "BucketName",
            "CorsConfiguration",
            "LifecycleConfiguration",
            "OwnershipControls",
            "Tags",
        ]);
        // Nobody but the shop is here, and nothing is written in the open. What the template leaves out would be left out
        // on AWS too, so it must be there.
        for asked in ["BucketEncryption", "PublicAccessBlockConfiguration"] {
            if properties.take(asked).is_none() {
                return Err(properties.error(asked, "is missing"));
            }
        }
        properties.finish()?;
        Ok(Self { name })
    }
}
