//! The supported S3 operations. All others return `NotImplemented`.

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsV2Input, ListObjectsV2Output, PutObjectInput,
    PutObjectOutput,
};
use s3s::{S3, S3Request, S3Response, S3Result};

use super::objects::Objects;
use super::{listing, read, write};

#[async_trait::async_trait]
impl S3 for Objects {
    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        read::get(self, request).await.map(S3Response::new)
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        read::head(self, request).map(S3Response::new)
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        // A form upload also arrives here, through the trait's own `post_object`.
        let by = if request.method == http::Method::POST { "Post" } else { "Put" };
        write::put(self, request, by).await.map(S3Response::new)
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let DeleteObjectInput { bucket, key, version_id, .. } = request.input;
        let bucket = self.store.bucket(&bucket)?;
        // Without a version id, this is the new delete marker; with one, it is what was deleted.
        let affected = match &version_id {
            None => bucket.delete(&key)?,
            Some(id) => bucket.delete_version(&key, id)?,
        };
        let is_marker = affected.as_ref().is_some_and(|affected| affected.record.is_delete_marker);
        Ok(S3Response::new(DeleteObjectOutput {
            delete_marker: is_marker.then_some(true),
            version_id: version_id.or_else(|| affected.map(|affected| affected.record.version_id().to_owned())),
            ..DeleteObjectOutput::default()
        }))
    }

    async fn list_object_versions(
        &self,
        request: S3Request<ListObjectVersionsInput>,
    ) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        let bucket = self.store.bucket(&request.input.bucket)?;
        listing::list_versions(&bucket, request.input).map(S3Response::new)
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let bucket = self.store.bucket(&request.input.bucket)?;
        listing::list(&bucket, request.input).map(S3Response::new)
    }
}
