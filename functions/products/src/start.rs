//! How the service's routes start: the variables they share, one client.

use aws_sdk_dynamodb::Client;
use shop_http::Route;
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
    shop_http::start(route(store, &environment), &environment, &client).await
}
