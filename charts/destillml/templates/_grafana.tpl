{{/* Which Grafanas get what the Grafana Operator is given. */}}
{{- define "destillml.grafanas" -}}
instanceSelector:
  {{- with .Values.metrics.grafanaOperator.instanceLabels }}
  matchLabels:
    {{- toYaml . | nindent 4 }}
  {{- else }} {}
  {{- end }}
{{- if .Values.metrics.grafanaOperator.allowCrossNamespaceImport }}
allowCrossNamespaceImport: true
{{- end }}
{{- end }}
