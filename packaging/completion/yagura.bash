_yagura() {
  local cur=${COMP_WORDS[COMP_CWORD]} opts verbs
  local lists='--output --fields --sort --all --watch '
  local common='--help --json --quiet --no-progress --no-color --yes --no-input --scope --socket --server --token-file --ca-file '
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W 'serve config org setup-code person role grant system approval token source event indicator detect retro-hunt dns alert search export doctor status audit-log job system-event backup demo api login logout context version licences completion manual ' -- "$cur"))
    return
  fi
  case ${COMP_WORDS[1]} in
    'config') verbs='check print schema manual events ' ;;
    'org') verbs='list add show set remove ' ;;
    'person') verbs='list add show disable enrol ' ;;
    'role') verbs='list ' ;;
    'grant') verbs='list add remove ' ;;
    'system') verbs='list add show change member remove ' ;;
    'approval') verbs='list show request approve refuse ' ;;
    'token') verbs='list add revoke ' ;;
    'source') verbs='list expect ' ;;
    'event') verbs='search show import normalize ' ;;
    'indicator') verbs='lists list-add list-remove import search check add expire remove allow allowed disallow publish compile match ' ;;
    'detect') verbs='check compile run test rules rule-show rule-add rule-change rule-remove import stage override inherit exceptions except except-change unexcept matrix try findings notices notice correlations ' ;;
    'retro-hunt') verbs='start list show ' ;;
    'dns') verbs='compile check explain block blocked unblock settings mode answer ' ;;
    'alert') verbs='list group show events watch history set snooze due-policy close comment comments merge unmerge split allow bulk ' ;;
    'search') verbs='save list remove ' ;;
    'export') verbs='create fetch ' ;;
    'audit-log') verbs='list verify ' ;;
    'job') verbs='list show cancel undo ' ;;
    'system-event') verbs='list ' ;;
    'backup') verbs='create list verify restore ' ;;
    'demo') verbs='load status remove ' ;;
    'context') verbs='list use ' ;;
  esac
  if [ -n "$verbs" ] && [ "$COMP_CWORD" -eq 2 ]; then
    COMPREPLY=($(compgen -W "$verbs" -- "$cur"))
    return
  fi
  case "${COMP_WORDS[1]}${verbs:+ ${COMP_WORDS[2]}}" in
    'serve') opts="--config --data --only " ;;
    'config print') opts="--changed --origin --roles " ;;
    'org list') opts="--limit $lists" ;;
    'org add') opts="--title --kind --parent --prefecture --dry-run " ;;
    'org set') opts="--title --kind --parent --prefecture --dry-run " ;;
    'org remove') opts="--force --no-wait " ;;
    'person list') opts="--org --limit $lists" ;;
    'person add') opts="--name --org --email --language --dry-run " ;;
    'person disable') opts="--dry-run " ;;
    'role list') opts="--limit $lists" ;;
    'grant list') opts="--person --org --limit $lists" ;;
    'grant add') opts="--node --system --period-from --period-to --expires --reason --dry-run " ;;
    'grant remove') opts="--dry-run " ;;
    'system list') opts="--org --limit $lists" ;;
    'system add') opts="--title --owner --importance --scheme --confidentiality --integrity --availability --network --host --dry-run " ;;
    'system change') opts="--title --owner --importance --scheme --confidentiality --integrity --availability --dry-run " ;;
    'system member') opts="--network --host --dry-run " ;;
    'system remove') opts="--dry-run " ;;
    'approval list') opts="--state --org --limit $lists" ;;
    'approval request') opts="--org --person --reason --dry-run " ;;
    'approval approve') opts="--reason " ;;
    'approval refuse') opts="--reason " ;;
    'token list') opts="--org --limit $lists" ;;
    'token add') opts="--org --scope --expires --out " ;;
    'token revoke') opts="--dry-run " ;;
    'source list') opts="--org --limit $lists" ;;
    'source expect') opts="--every --remove --dry-run " ;;
    'event search') opts="--from --to --org --limit $lists" ;;
    'event import') opts="--org --source --sensor --batch-bytes " ;;
    'event normalize') opts="--source --mapping --received " ;;
    'indicator lists') opts="--org --limit $lists" ;;
    'indicator list-add') opts="--org --title --tlp --confidence --category --dry-run " ;;
    'indicator import') opts="--list --org --title --tlp --confidence --category --format --replace --force-suffix --no-wait " ;;
    'indicator search') opts="--org --type --list --validity --limit $lists" ;;
    'indicator check') opts="--org --type " ;;
    'indicator add') opts="--list --confidence --tlp --category --family --until --force-suffix --dry-run " ;;
    'indicator expire') opts="--at --dry-run " ;;
    'indicator remove') opts="--dry-run " ;;
    'indicator allow') opts="--org --reason --expires --dry-run " ;;
    'indicator allowed') opts="--org --limit $lists" ;;
    'indicator disallow') opts="--dry-run " ;;
    'indicator publish') opts="--no-wait " ;;
    'indicator compile') opts="--out --list-name --format --category --tlp --org --allow --force-suffix --generation " ;;
    'indicator match') opts="--snapshot --source --mapping --org --at " ;;
    'detect check') opts="--rules --values " ;;
    'detect compile') opts="--rules --out --values --generation " ;;
    'detect run') opts="--rules --values --snapshot --source --mapping --category --product --service " ;;
    'detect test') opts="--values " ;;
    'detect rules') opts="--org --stage --level --kind --q --technique --tactic --exact --collection --logsource --refused --limit $lists" ;;
    'detect rule-show') opts="--text " ;;
    'detect rule-add') opts="--org --all-orgs --collection --stage --dry-run " ;;
    'detect rule-change') opts="--file --stage --collection --dry-run " ;;
    'detect rule-remove') opts="--org --collection --dry-run " ;;
    'detect import') opts="--org --all-orgs --collection --stage --dry-run " ;;
    'detect stage') opts="--org --all-orgs --collection --level --dry-run " ;;
    'detect override') opts="--reason --expires --dry-run " ;;
    'detect inherit') opts="--dry-run " ;;
    'detect exceptions') opts="--org --rule --limit $lists" ;;
    'detect except') opts="--org --all-orgs --rule --alert --reason --expires --dry-run " ;;
    'detect except-change') opts="--file --reason --expires --dry-run " ;;
    'detect unexcept') opts="--dry-run " ;;
    'detect matrix') opts="--org " ;;
    'detect try') opts="--org --day " ;;
    'retro-hunt start') opts="--rule --indicator --list --org --everywhere --from --until --no-wait " ;;
    'retro-hunt list') opts="--org --state --limit $lists" ;;
    'detect findings') opts="--org --kind --stage --limit $lists" ;;
    'detect notices') opts="--org " ;;
    'detect notice') opts="--org --all-orgs --dry-run " ;;
    'detect correlations') opts="--org --stage --q --limit $lists" ;;
    'dns compile') opts="--out --generation " ;;
    'dns check') opts="--snapshot --client --org " ;;
    'dns explain') opts="--type --org --client --do --cd " ;;
    'dns block') opts="--org --all --category --reason --ede --expires --force-suffix --dry-run " ;;
    'dns blocked') opts="--org --limit $lists" ;;
    'dns unblock') opts="--dry-run " ;;
    'dns settings') opts="--org " ;;
    'dns mode') opts="--org --all --dry-run " ;;
    'dns answer') opts="--org --all --category --ttl --dry-run " ;;
    'alert list') opts="--org --state --severity --assignee --watched --overdue --sort --indicator --q --limit $lists" ;;
    'alert group') opts="--by --org --state --severity --assignee --indicator --asset --q --limit $lists" ;;
    'alert events') opts="--limit $lists" ;;
    'alert watch') opts="--end " ;;
    'alert history') opts="--limit $lists" ;;
    'alert set') opts="--state --verdict --reason --assign --set-severity --due --snooze --dry-run " ;;
    'alert snooze') opts="--until --reason --end --dry-run " ;;
    'alert due-policy') opts="--org --severity --span --dry-run " ;;
    'alert close') opts="--verdict --reason --dry-run " ;;
    'alert comment') opts="--dry-run " ;;
    'alert comments') opts="--limit $lists" ;;
    'alert merge') opts="--reason --dry-run " ;;
    'alert unmerge') opts="--dry-run " ;;
    'alert split') opts="--reason --dry-run " ;;
    'alert allow') opts="--reason --expires --all-organisations --dry-run " ;;
    'alert bulk') opts="--org --from-state --severity --assignee --indicator --q --watched --overdue --state --verdict --reason --assign --set-severity --due --snooze --no-wait " ;;
    'search save') opts="--page --query --shared --org --dry-run " ;;
    'search list') opts="--page --limit $lists" ;;
    'search remove') opts="--dry-run " ;;
    'export create') opts="--format --filter --out --no-wait " ;;
    'export fetch') opts="--out " ;;
    'audit-log list') opts="--org --object --limit $lists" ;;
    'job list') opts="--limit $lists" ;;
    'job cancel') opts="--dry-run " ;;
    'job undo') opts="--no-wait " ;;
    'system-event list') opts="--limit $lists" ;;
    'backup create') opts="--no-wait " ;;
    'backup list') opts="--limit $lists" ;;
    'audit-log verify') opts="--state --head " ;;
    'backup restore') opts="--data " ;;
    'demo load') opts="--records --no-wait " ;;
    'demo remove') opts="--no-wait " ;;
    'api') opts="--query --field --data --type --accept --if-match --limit $lists" ;;
    'manual') opts="--ja " ;;
  esac
  case $cur in
    -*) COMPREPLY=($(compgen -W "$opts $common" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -f -- "$cur")) ;;
  esac
}
complete -F _yagura yagura
