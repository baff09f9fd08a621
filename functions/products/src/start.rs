//! How the service's routes start: the variables they share, one client, one verifier.

use aws_sdk_dynamodb::Client;
use shop_auth::Verifier;
use shop_http::{Route, handler};
use shop_lambda::{Environment, Handler, StartError};

use crate::store::Store;

/// Starts the function of a route.
///
/// # Errors
/// A variable that is not set, by its name.
pub(crate) async fn start<R: Route>(
    environment: Environment,
    route: fn(Store, &Environment) -> R,
) -> Result<Box<dyn Handler>, StartError> {
    let client = Client::new(environment.sdk_config());
    let store = Store::new(client.clone(), &environment)?;
    let verifier = Verifier::start(&environment, &client).await?;
    Ok(handler(route(store, &environment), verifier))
}
