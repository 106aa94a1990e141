package reshape

import (
	"bytes"
	"strings"
	"unicode"
)

// personalNames are words in the names of fields that hold personal things, each with the words that must stand before it, if any.
var personalNames = map[string]string{
	"email": "", "mail": "", "phone": "", "telephone": "", "mobile": "", "msisdn": "", "fax": "", "ssn": "", "iban": "", "pan": "",
	"cvv": "", "cvc": "", "surname": "", "lastname": "", "firstname": "", "fullname": "", "forename": "", "username": "", "nickname": "",
	"birthday": "", "birthdate": "", "dob": "", "passport": "", "street": "", "zip": "", "postcode": "", "ipaddress": "", "password": "",
	"passwd": "", "cardnumber": "", "creditcard": "", "cardholder": "", "taxid": "", "latitude": "", "longitude": "",
	"name": "first last full middle given family holder user customer contact person employee patient member guest buyer recipient sender",
	"date": "birth", "birth": "of", "born": "", "number": "card account phone passport tax insurance license licence telephone mobile",
	"code": "postal zip", "address": "", "ip": "", "id": "tax national", "pin": "", "security": "social", "plate": "license licence",
	"vorname": "", "nachname": "", "telefon": "", "handy": "", "adresse": "", "anschrift": "", "strasse": "", "straße": "", "plz": "",
	"geburtsdatum": "", "geburtstag": "", "kontonummer": "", "passwort": "", "prenom": "", "prénom": "", "courriel": "", "correo": "",
	"telefono": "", "teléfono": "", "apellido": "", "direccion": "", "dirección": "", "cognome": "", "indirizzo": "",
}

// personalParts make a word personal that they are a part of.
var personalParts = []string{
	"email", "phone", "password", "passport", "surname", "lastname", "firstname", "birthda", "postcode", "zipcode", "creditcard",
	"ipaddr", "mailaddr", "streetaddr", "homeaddr",
}

// judgeName says what a name tells, which stands in something whose name ends with the word before.
func judgeName(before, name string) telling {
	t := telling{last: before}
	for _, word := range nameWords(name) {
		for _, form := range []string{word, strings.TrimSuffix(word, "s"), strings.TrimSuffix(word, "es")} {
			wanted, known := personalNames[form]
			if t.looks == "" && known && (wanted == "" || hasWord(wanted, t.last)) {
				t.looks = nameLooks(wanted, t.last, form)
			}
		}
		for _, part := range personalParts {
			if t.looks == "" && strings.Contains(word, part) {
				t.looks = "a name: " + part
			}
		}
		t.last = strings.TrimSuffix(word, "s")
	}
	return t
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
