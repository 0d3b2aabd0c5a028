// The Gateway API's own conformance tests as a program: `go test` would build them anew, with all that they need.
package main

import (
	"regexp"
	"testing"

	"sigs.k8s.io/gateway-api/conformance"
)

func main() {
	all := []testing.InternalTest{{Name: "TestConformance", F: conformance.RunConformance}}
	testing.Main(regexp.MatchString, all, nil, nil)
}
