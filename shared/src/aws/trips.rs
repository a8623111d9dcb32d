//! Watches every call of an SDK client for [`crate::trips`].

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

use crate::trips::Trips;

/// An attempt's place in its request's chain of calls.
#[derive(Debug)]
struct Attempt(Trips, u32);

impl Storable for Attempt {
    type Storer = StoreReplace<Self>;
}

/// Counts every attempt at a call that is made for a request.
#[derive(Debug)]
pub(super) struct CountTrips;

impl Intercept for CountTrips {
    fn name(&self) -> &'static str {
        "CountTrips"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(trips) = Trips::current() {
            let place = trips.begin();
            bag.interceptor_state().store_put(Attempt(trips, place));
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        _: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(Attempt(trips, place)) = bag.load::<Attempt>() {
            trips.end(*place);
        }
        Ok(())
    }
}
