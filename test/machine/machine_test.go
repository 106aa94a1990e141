package machine

import "testing"

func TestTheProcessorIsNamed(t *testing.T) {
	for cpuinfo, want := range map[string]string{
		"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\nmodel name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz\n\nprocessor\t: 1\nmodel name\t: other\n": "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz (family 6, model 143)",
		"processor\t: 0\nmodel name\t: AMD EPYC\n":                                              "AMD EPYC",
		"processor\t: 0\nBogoMIPS\t: 243.75\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n":      "implementer 0x41, part 0xd40",
		"processor\t: 0\nCPU part\t: 0xd08\n\nHardware\t: BCM2835\nModel\t\t: Raspberry Pi 4\n": "Raspberry Pi 4",
		"processor\t: 0\ncpu\t\t: POWER9, altivec supported\n":                                  "POWER9, altivec supported",
		"processor\t: 0\nmodel name\t:\n":                                                       "unknown processor",
		"":                                                                                      "unknown processor", // no /proc
	} {
		if got := processor(cpuinfo); got != want {
			t.Errorf("%q: got %q, want %q", cpuinfo, got, want)
		}
	}
}
