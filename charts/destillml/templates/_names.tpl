{{/* The name of all objects of the release. */}}
{{- define "destillml.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains "destillml" .Release.Name -}}
{{- .Release.Name -}}
{{- else -}}
{{- printf "%s-destillml" .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The address of the Service that certificates and clients agree on. */}}
{{- define "destillml.host" -}}
{{- printf "%s.%s.svc" (include "destillml.name" .) .Release.Namespace -}}
{{- end -}}

{{/* The operator's pods. Trainers' pods are named and part of the same, and may be in the same namespace. */}}
{{- define "destillml.selector" -}}
app.kubernetes.io/name: destillml
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "destillml.labels" -}}
{{ include "destillml.selector" . }}
app.kubernetes.io/part-of: destillml
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "destillml.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{/* The Secret that holds ca.crt, tls.crt and tls.key. */}}
{{- define "destillml.tlsSecret" -}}
{{- $name := include "destillml.name" . -}}
{{- if and .Values.tls.existingSecret .Values.tls.certManager.enabled -}}
{{- fail "tls.existingSecret and tls.certManager.enabled exclude each other: set one of them" -}}
{{- end -}}
{{- if .Values.tls.certManager.enabled -}}
{{- /* Not that of the chart's own: pods are to wait for the issuer's. */ -}}
{{- printf "%s-cert-manager-tls" $name -}}
{{- else -}}
{{- .Values.tls.existingSecret | default (printf "%s-tls" $name) -}}
{{- end -}}
{{- end -}}

{{/* As the namespaces that enforce the Pod Security level "restricted" ask for. */}}
{{- define "destillml.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "destillml.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
