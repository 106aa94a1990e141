package connect

import (
	"errors"
	"maps"
	"testing"
)

func TestJAASConfigurationsAreParsedAsKafkaDoes(t *testing.T) {
	const plain, scram = "org.apache.kafka.common.security.plain.PlainLoginModule", "org.apache.kafka.common.security.scram.ScramLoginModule"
	for _, c := range []struct {
		in   string
		want map[string]string
	}{
		{plain + ` required username="u" password="p";`, map[string]string{keyModule: "PLAIN", keyUsername: "u", keyPassword: "p"}},
		{plain + ` required username='u' password='p"q';`, map[string]string{keyModule: "PLAIN", keyUsername: "u", keyPassword: `p"q`}},
		{plain + ` required username=u password=p;`, map[string]string{keyModule: "PLAIN", keyUsername: "u", keyPassword: "p"}},
		{plain + " REQUIRED\n\tusername = \"u\"\n\tpassword = \"a;b=c {d}\" ;", map[string]string{keyModule: "PLAIN", keyUsername: "u", keyPassword: "a;b=c {d}"}},
		{plain + ` required username="u" password="a\"b\\c\n\101\7z";`, map[string]string{keyModule: "PLAIN", keyUsername: "u", keyPassword: "a\"b\\c\nA\x07z"}},
		{plain + ` required username="$ConnectionString" password="Endpoint=sb://x/;SharedAccessKey=ab+/==";`,
			map[string]string{keyModule: "PLAIN", keyUsername: "$ConnectionString", keyPassword: "Endpoint=sb://x/;SharedAccessKey=ab+/=="}},
		{scram + ` required username="u" password="p" tokenauth="true";`,
			map[string]string{keyModule: "SCRAM", keyUsername: "u", keyPassword: "p", keyDelegation: "true"}},
		{`x.OAuthBearerLoginModule required oauth.access.token=abc.def== extension_logicalCluster='lkc-1' extension_pool="p";`,
			map[string]string{keyModule: "OAUTHBEARER", keyToken: "abc.def==", keyExtensions: "logicalCluster=lkc-1,pool=p"}},
		{plain + ` required username="u" password="é€";`, map[string]string{keyModule: "PLAIN", keyUsername: "u", keyPassword: "é€"}},
	} {
		got, err := parseJAAS(c.in)
		if err != nil || !maps.Equal(got.settings(), c.want) {
			t.Errorf("%s:\n got %v %v\nwant %v", c.in, got.settings(), err, c.want)
		}
	}
}

func TestBrokenJAASConfigurationsAreRefused(t *testing.T) {
	for _, in := range []string{
		"",
		"x.PlainLoginModule",
		`x.PlainLoginModule required username="u"`,
		`x.PlainLoginModule required username="u;`,
		`x.PlainLoginModule username="u" password="p";`,
		`x.PlainLoginModule required username "u";`,
		`x.PlainLoginModule required username=;`,
		`x.PlainLoginModule required "username"="u";`,
		`x.PlainLoginModule required username="u"; x.PlainLoginModule required username="v";`,
		`KafkaClient { x.PlainLoginModule required username="u"; };`,
		`com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true;`,
	} {
		if got, err := parseJAAS(in); err == nil {
			t.Errorf("%s: accepted as %v", in, got.settings())
		}
	}
	if _, err := parseJAAS(`x.PlainLoginModule required a`); !errors.Is(err, errJAASForm) {
		t.Errorf("got %v, want %v", err, errJAASForm)
	}
}
