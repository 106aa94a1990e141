package bucket

import (
	"bytes"
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"gocloud.dev/blob"
)

// partsUpload returns how to make an object of one small part, under a name that must be free; nil where the store is not S3.
func (s *Store) partsUpload(key string) func(context.Context) error {
	var client *s3.Client
	if !s.bucket.As(&client) {
		return nil
	}
	at := s.placeS3(key)
	return func(ctx context.Context) error { return at.upload(ctx, client) }
}

// objectS3 is where an object is, as the API has it.
type objectS3 struct{ bucket, key *string }

// placeS3 learns from a request that is not sent where the bucket has a key.
func (s *Store) placeS3(key string) (at objectS3) {
	r, err := s.bucket.NewRangeReader(s.ctx, key, 0, 1, &blob.ReaderOptions{BeforeRead: func(as func(any) bool) error {
		var in *s3.GetObjectInput
		if as(&in) {
			at = objectS3{in.Bucket, in.Key}
		}
		return errors.New("not to be sent")
	}})
	if err == nil {
		r.Close()
	}
	return at
}

func (o objectS3) upload(ctx context.Context, client *s3.Client) error {
	begun, err := client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: o.bucket, Key: o.key})
	if err != nil {
		return err
	}
	err = o.complete(ctx, client, begun.UploadId)
	if err != nil {
		// The first error is the one to tell; what is left of the upload is a byte.
		client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: o.bucket, Key: o.key, UploadId: begun.UploadId})
	}
	return err
}

func (o objectS3) complete(ctx context.Context, client *s3.Client, id *string) error {
	number := aws.Int32(1)
	part, err := client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: o.bucket, Key: o.key, UploadId: id, PartNumber: number, Body: bytes.NewReader([]byte("x")),
	})
	if err != nil {
		return err
	}
	done := types.CompletedPart{ETag: part.ETag, PartNumber: number, ChecksumCRC32: part.ChecksumCRC32, ChecksumCRC64NVME: part.ChecksumCRC64NVME}
	_, err = client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: o.bucket, Key: o.key, UploadId: id, IfNoneMatch: aws.String("*"),
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{done}},
	})
	return err
}
