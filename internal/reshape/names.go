package reshape

import (
	"bytes"
	"cmp"
	"strings"
	"unicode"
)

// numbered are what a number is personal of.
const numbered = "card account acct konto bank phone tel cell mobile passport tax insurance license licence telephone social id identity " +
	"record cc"

// personalNames are words in the names of fields that hold personal things, each with the words that must stand before it, if any. Two
// words in a row are also looked up as one. They are folded, as names are.
var personalNames = map[string]string{
	"email": "", "mail": "", "phone": "", "telephone": "", "tel": "", "cell": "", "mobile": "", "msisdn": "", "fax": "", "ssn": "", "iban": "",
	"pan": "", "cvv": "", "cvc": "", "surname": "", "lastname": "", "lname": "", "firstname": "", "fname": "", "fullname": "", "forename": "",
	"username": "", "nickname": "", "nick": "", "maiden": "", "birthday": "", "birthdate": "", "dob": "", "passport": "", "street": "", "zip": "",
	"postcode": "", "postalcode": "", "ipaddress": "", "ipv": "", "cardnumber": "", "ccnum": "", "creditcard": "", "cardholder": "", "taxid": "",
	"latitude": "", "longitude": "", "lat": "", "lng": "", "lon": "", "imei": "", "imsi": "", "macaddress": "", "licenseplate": "", "mrn": "",
	"diagnosis": "", "religion": "",

	"password": "", "passwd": "", "pwd": "", "passphrase": "", "passcode": "", "secret": "", "authorization": "", "cookie": "",
	"token": "access refresh auth bearer session id", "key": "api private", "pin": "",

	"name":  "first last full middle given family holder user customer contact person employee patient member guest buyer recipient sender",
	"first": "name", "last": "name", "nm": "first last full", "date": "birth", "birth": "of", "born": "", "number": numbered, "no": numbered,
	"nr": numbered, "num": numbered, "account": "bank", "code": "postal zip", "address": "", "addr": "", "ip": "",
	"id": "tax national personal patient", "identity": "national", "security": "social", "plate": "license licence",
	"license": "driver driving", "licence": "driver driving",

	"vorname": "", "nachname": "", "telefon": "", "handy": "", "adresse": "", "anschrift": "", "strasse": "", "straße": "", "plz": "",
	"passwort": "", "kennzeichen": "", "prenom": "", "courriel": "", "correo": "", "telefono": "", "apellido": "", "direccion": "", "dni": "",
	"nif": "", "curp": "", "cognome": "", "indirizzo": "", "telefone": "", "sobrenome": "", "endereco": "", "cpf": "", "cnpj": "",
	"telefoon": "", "voornaam": "", "achternaam": "", "adres": "", "bsn": "", "imie": "", "nazwisko": "", "pesel": "", "fornamn": "",
	"efternamn": "", "sahkoposti": "", "puhelin": "", "etunimi": "", "sukunimi": "", "aadhaar": "", "nric": "", "nino": "", "имя": "",
}

// personalParts make a word personal that they are a part of. Some languages part no words.
var personalParts = foldedWords(
	"email", "phone", "password", "passport", "surname", "lastname", "firstname", "birthda", "postcode", "zipcode", "creditcard", "ipaddr",
	"mailaddr", "streetaddr", "homeaddr", "adress", "strassenname", "hausnummer", "postleitzahl", "telefon", "handynummer", "mobilnummer",
	"rufnummer", "kontonummer", "steuernummer", "versicherungsnummer", "ausweis", "geburt", "contrasena", "motdepasse", "nacimiento",
	"naissance", "nascita", "nascimento", "cumpleanos", "personnummer", "fodselsnummer", "fødselsnummer", "fodelsedat",
	"почт", "телефон", "фамили", "адрес", "паспорт", "рожден", "メール", "電話", "氏名", "名前", "住所", "生年月日", "パスワード", "邮箱", "郵箱", "邮件",
	"电话", "手机", "手機", "姓名", "地址", "生日", "身份证", "身份證", "护照", "密码", "이메일", "전화", "이름", "주소", "생년월일", "비밀번호", "هاتف", "بريد",
)

func foldedWords(words ...string) []string {
	for i, w := range words {
		words[i] = string(appendFolded(nil, []byte(w)))
	}
	return words
}

// twins are letters of other scripts that look like one of ASCII.
var twins = strings.NewReplacer("а", "a", "е", "e", "о", "o", "р", "p", "с", "c", "х", "x", "у", "y", "і", "i", "ѕ", "s", "ј", "j", "ԁ", "d",
	"һ", "h", "ո", "n", "м", "m", "т", "t", "к", "k", "в", "b", "н", "h", "ı", "i", "ο", "o", "α", "a", "ε", "e", "ι", "i", "ρ", "p", "υ", "u", "ν", "v",
	"κ", "k", "ѵ", "v", "ⅼ", "l", "ɡ", "g", "ɑ", "a", "ｅ", "e")

// judgeName says what a name tells, which is folded and stands in something whose name ends with the word before.
func judgeName(before, name string) telling {
	t := telling{last: before}
	for _, word := range nameWords(name) {
		if t.looks == "" {
			t.looks = cmp.Or(judgeWord(t.last, word), judgeWord(t.last, twins.Replace(word)))
		}
		if t.last = word; !strings.HasSuffix(word, "ss") {
			t.last = strings.TrimSuffix(word, "s")
		}
	}
	return t
}

// minJoined keeps a letter before a word from making another one of it.
const minJoined = 3

// judgeWord says what a word behind another one tells.
func judgeWord(before, word string) string {
	for _, form := range []string{word, strings.TrimSuffix(word, "s"), strings.TrimSuffix(word, "es")} {
		if wanted, known := personalNames[form]; known && (wanted == "" || hasWord(wanted, before)) {
			return nameLooks(wanted, before, form)
		}
		if wanted, known := personalNames[before+form]; known && wanted == "" && len(before) >= minJoined {
			return nameLooks("", "", before+form)
		}
		if strings.HasSuffix(form, "mail") {
			return "a name: mail"
		}
	}
	for _, part := range personalParts {
		if strings.Contains(word, part) {
			return "a name: " + part
		}
	}
	return ""
}

// nameLooks tells words that this package knows, and nothing of the name itself, which may be somebody's.
func nameLooks(wanted, before, word string) string {
	if wanted != "" {
		word = before + " " + word
	}
	return "a name: " + word
}

func hasWord(list, word string) bool {
	for w := range strings.FieldsSeq(list) {
		if w == word {
			return true
		}
	}
	return false
}

// nameWords parts user_eMail, userEmail and user-email into words of lower case.
func nameWords(name string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = word[:0]
		}
	}
	lower := false
	for _, r := range name {
		if !unicode.IsLetter(r) {
			end()
			lower = false
			continue
		}
		if unicode.IsUpper(r) && lower {
			end()
		}
		lower = unicode.IsLower(r)
		word = append(word, r)
	}
	end()
	return words
}

// namesIn finds telling names with something behind them in a text, as in email=…, "ssn": … and <phone>….
func (d *detector) namesIn(b []byte) string {
	for i, c := range b {
		var name []byte
		switch {
		case (c == ':' || c == '=') && len(bytes.TrimLeft(b[i+1:], " \t\r\n")) > 0:
			name = nameBefore(b[:i])
		case c == '<':
			name = b[i+1 : i+1+len(b[i+1:])-len(bytes.TrimLeftFunc(b[i+1:], isNameRune))]
		}
		if len(name) > 0 && len(name) <= 64 && !isDigit(name[0]) {
			if looks := d.tells("", name).looks; looks != "" {
				return looks
			}
		}
	}
	return ""
}

func nameBefore(b []byte) []byte {
	b = bytes.TrimRight(b, " \t\"'`\\")
	return b[len(bytes.TrimRightFunc(b, isNameRune)):]
}

func isNameRune(r rune) bool {
	return r == '_' || r == '-' || r == '.' || unicode.IsLetter(r) || unicode.IsDigit(r)
}
