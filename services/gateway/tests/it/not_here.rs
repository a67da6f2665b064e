//! Methods of a contract that a service of these tests does not answer.

macro_rules! not_here {
    ($($method:ident($request:ty) -> $answer:ty;)+) => {$(
        // Written out as `async_trait` would: it does not look into macros.
        fn $method<'me, 'call>(
            &'me self,
            _: tonic::Request<$request>,
        ) -> std::pin::Pin<
            Box<dyn Future<Output = Result<tonic::Response<$answer>, tonic::Status>> + Send + 'call>,
        >
        where
            'me: 'call,
            Self: 'call,
        {
            Box::pin(async { Err(tonic::Status::unimplemented("not at this desk")) })
        }
    )+};
}
pub(crate) use not_here;
