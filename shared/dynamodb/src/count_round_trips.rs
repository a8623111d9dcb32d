//! Reports every call of an SDK client to [`telemetry::round_trips`].

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

use telemetry::round_trips::RoundTrips;

/// The position of an attempt in its request's chain of calls, and whether the attempt has ended.
#[derive(Debug)]
struct Attempt {
    trips: RoundTrips,
    place: u32,
    ended: bool,
}

impl Storable for Attempt {
    type Storer = StoreReplace<Self>;
}

/// Counts every attempt at a call that belongs to a request.
#[derive(Debug)]
pub(super) struct CountRoundTrips;

impl Intercept for CountRoundTrips {
    fn name(&self) -> &'static str {
        "CountRoundTrips"
    }

    // The first attempt takes its position as soon as the call is made. Of parallel calls, one may get its response
    // before another is even sent.
    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(trips) = RoundTrips::current() {
            let place = trips.begin();
            bag.interceptor_state().store_put(Attempt { trips, place, ended: false });
        }
        Ok(())
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(Attempt { trips, ended: true, .. }) = bag.load::<Attempt>() {
            let trips = trips.clone();
            let place = trips.begin();
            bag.interceptor_state().store_put(Attempt { trips, place, ended: false });
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        _: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(Attempt { trips, place, .. }) = bag.load::<Attempt>() {
            let (trips, place) = (trips.clone(), *place);
            trips.end(place);
            bag.interceptor_state().store_put(Attempt { trips, place, ended: true });
        }
        Ok(())
    }
}
