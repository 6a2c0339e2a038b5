{{- define "epd.labels" -}}
app.kubernetes.io/name: epd-fleet
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "epd.metadata" -}}
name: {{ .root.Release.Name }}-{{ .component }}
labels:
  {{- include "epd.labels" . | nindent 2 }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ .root.Release.Service }}
  helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* By digest where one is given: a tag can be made to name another image. */}}
{{- define "epd.image" -}}
{{ .root.Values.image.repository }}/{{ .component }}
{{- with get (.root.Values.image.digests | default dict) .component }}@{{ . }}{{ else }}:{{ .service.tag | default .root.Values.image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "epd.secretName" -}}
{{ .Values.secret.existing | default (printf "%s-settings" .Release.Name) }}
{{- end }}

{{/* What every pod has: who it runs as, how it is spread, where it may run. */}}
{{- define "epd.podSpec" -}}
serviceAccountName: {{ .root.Release.Name }}-{{ .component }}
automountServiceAccountToken: false
enableServiceLinks: false
# The service stops by itself within EPD_STOP_MS; the rest is for what comes before and after.
terminationGracePeriodSeconds: {{ add .service.stopSeconds 10 }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  {{- range .root.Values.topologySpread.keys }}
  - topologyKey: {{ . }}
    maxSkew: {{ $.root.Values.topologySpread.maxSkew }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "epd.labels" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- $gpu := .service.gpu | default dict }}
{{- $on := $gpu.enabled | default false }}
{{- if and $on $gpu.runtimeClassName }}
runtimeClassName: {{ $gpu.runtimeClassName }}
{{- end }}
{{- with merge dict .service.nodeSelector (ternary ($gpu.nodeSelector | default dict) dict $on) }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat .service.tolerations (ternary ($gpu.tolerations | default list) list $on) }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "epd.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* The secret settings that the processes read, and no others of the Secret, by name: as a JSON list. */}}
{{- define "epd.secretSettings" -}}
{{- $names := list "EPD_REDIS_URL" "EPD_S3_ACCESS_KEY_ID" "EPD_S3_SECRET_ACCESS_KEY" "EPD_EMBEDDING_KEY" }}
{{- if eq .component "api" }}
{{- $names = concat $names (list "EPD_API_KEYS" "EPD_ADMIN_KEY" "EPD_WEBHOOK_SECRET") }}
{{- else if ne .component "index" }}
{{- $names = append $names "HF_TOKEN" }}
{{- if and (eq .component "ops") .root.Values.api.enabled }}{{ $names = append $names "EPD_API_KEYS" }}{{ end }}
{{- end }}
{{- concat $names .root.Values.secret.shared | uniq | toJson }}
{{- end }}

{{/* "true" where the chart makes the admin key: the API needs a key, and nobody has given one. */}}
{{- define "epd.makesAdminKey" -}}
{{- $secrets := .Values.secret.values }}
{{- $open := or .Values.config.EPD_OPEN .Values.api.config.EPD_OPEN }}
{{- if and .Values.api.enabled (not .Values.secret.existing) (not (or $secrets.EPD_API_KEYS $secrets.EPD_ADMIN_KEY $open)) }}true{{ end }}
{{- end }}

{{/* The key of the Secret that has a setting for a component: for S3 a component may have its own. */}}
{{- define "epd.secretKey" -}}
{{- $own := printf "%s.%s" .component .name }}
{{- $secret := .root.Values.secret }}
{{- if and (hasPrefix "EPD_S3_" .name) (or (get $secret.values $own) (and $secret.existing $secret.s3ByService)) }}
{{- $own }}
{{- else }}
{{- .name }}
{{- end }}
{{- end }}

{{/*
Those of them that there are, as environment variables. Of a Secret of the operator only the address of Redis
has to be there, unless it is no secret: what else is needed depends on how the fleet is set up.
*/}}
{{- define "epd.secretEnv" -}}
{{- $secret := .root.Values.secret }}
{{- $made := and (eq .component "api") (include "epd.makesAdminKey" .root) }}
{{- range $name := include "epd.secretSettings" . | fromJsonArray }}
{{- $key := include "epd.secretKey" (dict "root" $.root "component" $.component "name" $name) }}
{{- $needed := and (eq $name "EPD_REDIS_URL") (not (hasKey $.root.Values.config $name)) }}
{{- if or $secret.existing (get $secret.values $key) (and $made (eq $name "EPD_ADMIN_KEY")) }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ include "epd.secretName" $.root }}
      key: {{ $key }}
      {{- if and $secret.existing (not $needed) }}
      optional: true
      {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Settings: the shared ones, the service's own over them, secrets over both. `config` names the service whose
settings they are, when that is another; `env` has more.
*/}}
{{- define "epd.environment" -}}
envFrom:
  - configMapRef: { name: {{ .root.Release.Name }}-{{ .config | default .component }} }
{{- $secrets := include "epd.secretEnv" . }}
{{- if or $secrets .env }}
env:
  {{- $secrets | trim | nindent 2 }}
  {{- with .env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
Pods are replaced when their settings change. Who may read a pod may not read its secrets: what stands for them is slow
to make (scrypt), and different in each release and namespace, so that it cannot be guessed or looked up.
*/}}
{{- define "epd.checksums" -}}
checksum/config: {{ include (print .root.Template.BasePath "/config.yaml") .root | sha256sum }}
{{- if not .root.Values.secret.existing }}
{{- $secrets := dict }}
{{- range include "epd.secretSettings" . | fromJsonArray }}
{{- $key := include "epd.secretKey" (dict "root" $.root "component" $.component "name" .) }}
{{- $_ := set $secrets . (get $.root.Values.secret.values $key) }}
{{- end }}
checksum/secret: {{ derivePassword 1 "maximum" (toYaml $secrets) .component (printf "%s/%s" .root.Release.Namespace .root.Release.Name) | sha256sum }}
{{- end }}
{{- end }}

{{- define "epd.strategy" -}}
type: RollingUpdate
rollingUpdate: {{- toYaml .service.rollingUpdate | nindent 2 }}
{{- end }}

{{/* The services of this release by their component's name. */}}
{{- define "epd.services" -}}
{{- $services := dict "encoder" .Values.encoder "prefill-decode" .Values.prefillDecode }}
{{- if .Values.api.enabled }}{{ $_ := set $services "api" .Values.api }}{{ end }}
{{- if .Values.index.enabled }}{{ $_ := set $services "index" .Values.index }}{{ end }}
{{- toJson $services }}
{{- end }}
