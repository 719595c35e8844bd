# bash completion for headgate(1). Written by `headgate completion bash`, from the command tree: change it there.

# What may stand behind these commands: a further command, an option, an operand.
_headgate_what_follows() {
    commands='' options='' operand=''
    case $1 in
        '') commands='capture flush operations log policy table agent check-config completion version' options='--help --config --socket --state-dir' ;;
        ' capture') options='--help --source --destination --source-port --destination-port --translated-source --translated-destination --protocol --filter --all --min-age --state --mark --zone --min-bytes --min-packets --match --both-directions --firewall --availability-zone --netns --output --json --explain --config --socket --state-dir' ;;
        ' flush') options='--help --source --destination --source-port --destination-port --translated-source --translated-destination --protocol --filter --all --min-age --state --mark --zone --min-bytes --min-packets --match --both-directions --firewall --availability-zone --netns --output --json --from-capture --max-flows --stream-exception-policy --require-policy --dry-run --include-protected --yes --explain --config --socket --state-dir' ;;
        ' operations') commands='list show results' options='--help --config --socket --state-dir' ;;
        ' operations list') options='--help --output --json --type --limit --config --socket --state-dir' ;;
        ' operations show') operand='ID' options='--help --output --json --config --socket --state-dir' ;;
        ' operations results') operand='ID' options='--help --output --json --config --socket --state-dir' ;;
        ' log') options='--help --follow --reason --firewall --lines --file --source --destination --source-port --destination-port --translated-source --translated-destination --protocol --filter --output --json --config --socket --state-dir' ;;
        ' policy') commands='list show apply remove status' options='--help --config --socket --state-dir' ;;
        ' policy list') options='--help --output --json --config --socket --state-dir' ;;
        ' policy show') operand='NAME' options='--help --output --json --ruleset --config --socket --state-dir' ;;
        ' policy apply') operand='NAME' options='--help --output --json --include-protected --firewall --availability-zone --netns --config --socket --state-dir' ;;
        ' policy remove') options='--help --output --json --firewall --availability-zone --netns --config --socket --state-dir' ;;
        ' policy status') options='--help --output --json --firewall --availability-zone --netns --config --socket --state-dir' ;;
        ' table') options='--help --firewall --availability-zone --netns --output --json --config --socket --state-dir' ;;
        ' agent') options='--help --config --socket --state-dir' ;;
        ' check-config') options='--help --print-reference --print-example --credentials --print-manual --config --socket --state-dir' ;;
        ' completion') operand='SHELL' options='--help --config --socket --state-dir' ;;
        ' version') options='--help --config --socket --state-dir' ;;
    esac
}

# What an option or an operand takes. False where it takes nothing.
_headgate_value_of() {
    choices='' candidates='' paths=''
    case $1 in
        --availability-zone) candidates='availability-zones' ;;
        --config) paths='default' ;;
        --destination) ;;
        --destination-port) ;;
        --file) paths='default' ;;
        --filter) ;;
        --firewall) candidates='firewalls' ;;
        --from-capture) candidates='operations' paths='default' ;;
        --limit) ;;
        --lines) ;;
        --mark) ;;
        --match) choices='original translated any' ;;
        --max-flows) ;;
        --min-age) ;;
        --min-bytes) ;;
        --min-packets) ;;
        --netns) candidates='network-namespaces' paths='default' ;;
        --output) choices='table json ndjson' ;;
        --protocol) choices='icmp igmp ipip tcp udp dccp ipv6 rsvp gre esp ah icmpv6 eigrp ospf pim vrrp l2tp sctp udplite' ;;
        --reason) choices='flushed closed timeout evicted' ;;
        --socket) paths='default' ;;
        --source) ;;
        --source-port) ;;
        --state) choices='NEW ESTABLISHED CLOSED ACTIVE ANY' ;;
        --state-dir) paths='dirnames' ;;
        --stream-exception-policy) candidates='policies' paths='default' ;;
        --translated-destination) ;;
        --translated-source) ;;
        --type) choices='capture flush' ;;
        --zone) ;;
        ID) candidates='operations' ;;
        NAME) candidates='policies' paths='default' ;;
        SHELL) choices='bash zsh' ;;
        *) return 1 ;;
    esac
}

_headgate() {
    local commands options operand choices='' candidates='' paths=''
    local word=${COMP_WORDS[COMP_CWORD]} command='' option='' gateway=() each i
    _headgate_what_follows ''
    for ((i = 1; i < COMP_CWORD; ++i)); do
        each=${COMP_WORDS[i]}
        if [[ $each == '=' ]]; then
            continue
        elif [[ $option ]]; then
            case $option in --config | --socket | --state-dir) gateway+=("$option" "$each") ;; esac
            option=''
        elif [[ $each == -* ]]; then
            ! _headgate_value_of "$each" || option=$each
        elif [[ " $commands " == *" $each "* ]]; then
            command+=" $each"
            _headgate_what_follows "$command"
        else
            operand=''
        fi
    done
    [[ $word == '=' ]] && word=''

    choices='' candidates='' paths=''
    if [[ $option ]]; then
        _headgate_value_of "$option"
    elif [[ $word != -* && $operand ]]; then
        _headgate_value_of "$operand"
    elif [[ $word != -* && $commands ]]; then
        choices=$commands
    else
        choices=$options
    fi
    COMPREPLY=()
    while IFS= read -r each; do
        [[ $each && $each == "$word"* ]] || continue
        printf -v each %q "$each"
        COMPREPLY+=("$each")
    done < <(
        printf '%s\n' "${choices// /$'\n'}"
        [[ $candidates ]] && "$1" "${gateway[@]}" candidates "$candidates" 2>/dev/null
    )
    # Where nothing of that fits.
    [[ $paths ]] && compopt -o "$paths"
    return 0
}

complete -F _headgate headgate
