package bucketurl

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
)

var s3 = &scheme{name: "s3", what: "Amazon S3", open: openS3}

// openS3 opens a bucket and makes sure that there are credentials: without any, each request would look for some, for long.
func openS3(ctx context.Context, u *url.URL) (*blob.Bucket, error) {
	var opener s3blob.URLOpener
	b, err := opener.OpenBucketURL(ctx, u)
	if err != nil {
		if inner := errors.Unwrap(err); inner != nil { // the rest of it is the URL
			err = inner
		}
		return nil, err
	}
	var client *awss3.Client
	if !b.As(&client) {
		return b, nil
	}
	if err := checkClient(ctx, client.Options()); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	// The opener's client would write remarks to stderr.
	quiet := awss3.New(client.Options(), func(o *awss3.Options) {
		o.Logger, o.DisableLogOutputChecksumValidationSkipped = logging.Nop{}, true
	})
	return s3blob.OpenBucket(ctx, quiet, u.Host, &opener.Options)
}

func checkClient(ctx context.Context, o awss3.Options) error {
	if o.Region == "" {
		return errors.New("no region: set AWS_REGION, or add ?region=REGION; a store of your own takes any, us-east-1 say")
	}
	return checkCredentials(ctx, o.Credentials)
}

func checkCredentials(ctx context.Context, c aws.CredentialsProvider) error {
	if c == nil {
		return nil
	}
	if _, ok := c.(aws.AnonymousCredentials); ok {
		return nil
	}
	if _, err := c.Retrieve(ctx); err != nil {
		return fmt.Errorf("no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or use a role of the machine: %w", err)
	}
	return nil
}
