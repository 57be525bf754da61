{{/*
ca.crt, tls.crt and tls.key, in base64: as the Secret has them, or new ones. The key of the CA is thrown away: nobody can
sign by it, and a new certificate takes a new CA.
*/}}
{{- define "destillml.certificate" -}}
{{- $known := lookup "v1" "Secret" .Release.Namespace (include "destillml.tlsSecret" .) -}}
{{- if $known -}}
{{- pick $known.data "ca.crt" "tls.crt" "tls.key" | toYaml -}}
{{- else -}}
{{- $name := include "destillml.name" . -}}
{{- $host := include "destillml.host" . -}}
{{- $names := list $name (printf "%s.%s" $name .Release.Namespace) $host (printf "%s.cluster.local" $host) -}}
{{- $days := 3650 -}}
{{- $ca := genCAWithKey "destillml-ca" $days (genPrivateKey "ecdsa") -}}
{{- $pair := genSignedCertWithKey $name nil $names $days $ca (genPrivateKey "ecdsa") -}}
ca.crt: {{ $ca.Cert | b64enc }}
tls.crt: {{ $pair.Cert | b64enc }}
tls.key: {{ $pair.Key | b64enc }}
{{- end -}}
{{- end -}}
