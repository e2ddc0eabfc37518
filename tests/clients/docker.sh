# Networks by the docker CLI, on the engine that DOCKER_HOST names. A step is a line "$ COMMAND", what
# it printed (what went to stderr behind "! "), and its exit code. Its own things begin with cli-.

label=docknet.clients=cli
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

show() {
    echo "exit $1"
    cat "$out/stdout"
    sed 's/^/! /' "$out/stderr"
}

docker() {
    printf '$'; printf ' %s' docker "$@"; echo
    command docker "$@" >"$out/stdout" 2>"$out/stderr" </dev/null
    show $?
}

# The same, the lines in order: where engines promise none.
sorted() {
    printf '$'; printf ' %s' "$@"; echo ' | sort'
    command "$@" >"$out/unsorted" 2>"$out/stderr" </dev/null
    code=$?
    sort "$out/unsorted" >"$out/stdout"
    show $code
}

clear() {
    command docker rm --force --volumes cli-box cli-two cli-moved cli-off
    command docker network rm cli-of-config
    for network in $(command docker network ls --quiet --filter label=docknet.clients=cli); do
        command docker network rm "$network"
    done
} >/dev/null 2>&1

clear

# Who is there.
docker version --format '{{.Server.APIVersion}} {{.Server.MinAPIVersion}} {{.Server.Os}} {{.Server.Arch}} {{.Server.Experimental}}'
docker version --format '{{range .Server.Components}}{{.Name}} {{end}}'
docker info --format '{{.Swarm.LocalNodeState}} {{.OSType}} {{.Architecture}}'
docker info --format '{{json .Plugins.Network}}'

# create
docker network create --label $label cli-plain
docker network create --label $label cli-plain
docker network create --label $label --driver bridge --subnet 10.210.1.0/24 --gateway 10.210.1.9 --ip-range 10.210.1.128/25 \
    --aux-address printer=10.210.1.130 --opt com.docker.network.driver.mtu=1400 --label env=test cli-full
docker network create --label $label --ipv6 --subnet 10.210.2.0/24 --subnet fd00:210:2::/64 cli-six
docker network create --label $label --internal --subnet 10.210.3.0/24 cli-inner
docker network create --label $label --attachable --subnet 10.210.4.0/24 cli-attachable
docker network create --label $label --config-only --subnet 10.210.5.0/24 cli-config
docker network create --config-from cli-config cli-of-config
docker network create --label $label --config-from cli-config cli-bad
docker network create --label $label --driver macvlan --opt parent=parent0 --subnet 10.210.6.0/24 cli-macvlan
docker network create --label $label --ipv4=false --ipv6 --subnet fd00:210:7::/64 cli-only-six
docker network create --label $label --subnet 10.210.8.0/30 cli-small

# create, refused
docker network create --label $label --subnet 10.210.1.0/25 cli-bad
docker network create --label $label --subnet 10.210.9.1/24 cli-bad
docker network create --label $label --subnet foo cli-bad
docker network create --label $label --gateway 10.210.9.1 cli-bad
docker network create --label $label --subnet 10.210.9.0/24 --gateway 10.211.9.1 cli-bad
docker network create --label $label --subnet 10.210.9.0/24 --ip-range 10.211.9.0/25 cli-bad
docker network create --label $label --subnet 10.210.9.0/24 --aux-address a=10.211.9.1 cli-bad
docker network create --label $label --opt com.docker.network.bridge.name=sixteen-letters- cli-bad
docker network create --label $label --opt com.docker.network.driver.mtu=foo cli-bad
docker network create --label $label --driver host cli-bad
docker network create --label $label --driver overlay cli-bad
docker network create --label $label --scope swarm cli-bad
docker network create --label $label --ingress cli-bad
docker network create --config-from cli-none cli-bad
docker network create --label $label --ipv4=false cli-bad
docker network create --label $label host
docker network create --label $label ''
docker network create --label $label --foo cli-bad
docker network create

# ls
docker network ls --filter label=$label
docker network ls --no-trunc --filter name=cli-full
docker network ls --quiet --filter name=^cli-full$
docker network ls --format '{{.Name}} {{.Driver}} {{.Scope}} {{.IPv4}} {{.IPv6}} {{.Internal}}' --filter label=$label
docker network ls --format '{{.Name}} {{.Label "env"}}' --filter label=env=test
docker network ls --format '{{.Name}}|{{.Labels}}' --filter name=cli-inner
docker network ls --format json --filter name=cli-inner
docker network ls --format 'table {{.Name}}\t{{.Driver}}' --filter driver=macvlan --filter label=$label
docker network ls --format '{{.Name}}' --filter type=builtin
docker network ls --format '{{.Name}}' --filter type=custom --filter label=$label
docker network ls --format '{{.Name}}' --filter scope=swarm
docker network ls --format '{{.Name}}' --filter dangling=true --filter label=$label
docker network ls --format '{{.Name}}' --filter dangling=false
docker network ls --filter dangling=foo
docker network ls --filter foo=bar
docker network ls --filter name= --filter label=$label
docker network ls --filter type=foo

# inspect
docker network inspect cli-full
docker network inspect cli-six cli-inner
docker network inspect --format '{{json .IPAM}}' cli-six
docker network inspect --format '{{.EnableIPv4}} {{.EnableIPv6}} {{.Internal}} {{.Attachable}} {{.ConfigOnly}}' cli-attachable cli-config
docker network inspect cli-of-config
docker network inspect --verbose cli-macvlan
docker network inspect none
docker network inspect host
docker network inspect --format '{{len (index .IPAM.Config 0).Subnet | lt 8}}' cli-plain
docker network inspect cli-none
docker network inspect --format '{{.Name}}' cli-full cli-none cli-six
docker network inspect --format '{{.Foo}}' cli-full

# Containers.
docker create --name cli-box --network cli-full --ip 10.210.1.200 --network-alias api busybox sleep 1000
docker create --name cli-box --network cli-full busybox sleep 1000
docker create --name cli-two --network name=cli-six,alias=db,ip=10.210.2.20,ip6=fd00:210:2::20 --network cli-inner --mac-address 92:d0:c6:0a:29:33 busybox sleep 1000
docker create --name cli-off --network cli-none busybox sleep 1000
docker start cli-off
docker rm cli-off
docker create --name cli-off --network cli-small --ip 10.99.9.9 busybox sleep 1000
docker create --network bridge --ip 172.17.0.99 busybox sleep 1000
docker create --network host --network cli-full busybox sleep 1000
docker create --name cli-off --network container:cli-nobody busybox sleep 1000
docker start cli-off
docker rm cli-off
docker ps --all --filter name=cli-box --format '{{.Names}} {{.State}} {{.Networks}} {{.Image}} {{.Command}}'
docker ps --all --filter name=cli- --format '{{.Names}} {{.State}}'
docker start cli-box cli-two
docker ps --filter name=cli- --format '{{.Names}} {{.State}} {{.Image}}'
docker ps --filter network=cli-full --format '{{.Names}}'
docker ps --all --no-trunc --quiet --filter name=cli-box
docker inspect --format '{{json .NetworkSettings.Networks}}' cli-box
docker inspect --format '{{json .NetworkSettings.Networks}}' cli-two
docker inspect --format '{{.HostConfig.NetworkMode}} {{.State.Status}} {{.Name}} {{.Config.Image}}' cli-box cli-two cli-nobody
docker network inspect --format '{{json .Containers}}' cli-full
docker network inspect --format '{{range .Containers}}{{.Name}} {{.IPv4Address}} {{.IPv6Address}};{{end}}' cli-six cli-inner
docker network ls --format '{{.Name}}' --filter dangling=true --filter label=$label

# connect
docker network connect cli-plain cli-box
docker network connect cli-plain cli-box
docker network connect --alias web --alias www --ip 10.210.2.77 --ip6 fd00:210:2::77 --link cli-two:peer cli-six cli-box
docker network connect --driver-opt com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.log_martians=1 --gw-priority 5 cli-attachable cli-box
docker network connect --link-local-ip 169.254.34.68 cli-inner cli-box
docker inspect --format '{{range $name, $network := .NetworkSettings.Networks}}{{$name}} {{end}}' cli-box
docker inspect --format '{{json (index .NetworkSettings.Networks "cli-six")}}' cli-box
docker inspect --format '{{json (index .NetworkSettings.Networks "cli-attachable")}}' cli-box
docker inspect --format '{{json (index .NetworkSettings.Networks "cli-inner").IPAMConfig}}' cli-box
docker network connect cli-none cli-box
docker network connect cli-full cli-nobody
docker network connect --ip 10.99.0.1 cli-small cli-box
docker network connect --ip 10.210.8.1 cli-small cli-two
docker network connect --ip foo cli-small cli-two
docker network connect host cli-two
docker network connect none cli-two
docker network connect cli-config cli-two
docker network connect cli-full

# rm, in use
docker network rm cli-full
docker network rm bridge
docker network rm cli-config
docker network rm cli-of-config
docker network rm cli-config
docker network rm cli-none
docker network rm --force cli-none
docker network rm

# disconnect
docker network disconnect cli-plain cli-box
docker network disconnect cli-plain cli-box
docker network disconnect --force cli-plain cli-box
docker network disconnect cli-none cli-box
docker network disconnect cli-plain cli-nobody
docker network disconnect host cli-box
docker network disconnect cli-six cli-box
docker inspect --format '{{range $name, $network := .NetworkSettings.Networks}}{{$name}} {{end}}' cli-box

# Life of a container.
docker rename cli-box cli-moved
docker rename cli-box cli-moved
docker network inspect --format '{{range .Containers}}{{.Name}} {{end}}' cli-full
docker stop --timeout 0 cli-moved
docker network inspect --format '{{json .Containers}}' cli-full
docker inspect --format '{{.State.Status}} {{json .NetworkSettings.Networks}}' cli-moved
docker start cli-moved
docker inspect --format '{{(index .NetworkSettings.Networks "cli-full").IPAddress}}' cli-moved
docker restart --timeout 0 cli-moved
docker inspect --format '{{(index .NetworkSettings.Networks "cli-full").IPAddress}}' cli-moved
docker pause cli-moved
docker ps --filter name=cli-moved --format '{{.Names}} {{.State}}'
docker network disconnect cli-attachable cli-moved
docker unpause cli-moved
docker rm cli-moved
docker rm --force cli-moved
docker rm cli-moved
docker kill cli-two
docker wait cli-two
docker rm cli-two

# events: what a story made, afterwards.
begin=$(date +%s.%N)
command docker network create --label $label --label story=1 --subnet 10.210.20.0/24 cli-story >"$out/id" 2>&1
command docker create --name cli-box --network cli-story busybox sleep 1000 >/dev/null 2>&1
command docker start cli-box >/dev/null 2>&1
command docker network connect cli-inner cli-box
command docker network disconnect cli-inner cli-box
command docker rename cli-box cli-moved
command docker kill cli-moved >/dev/null 2>&1
command docker wait cli-moved >/dev/null 2>&1
command docker rm cli-moved >/dev/null 2>&1
command docker network rm cli-story >/dev/null 2>&1
end=$(date +%s.%N)

# Times change from run to run: the step is named without them.
events() {
    printf '$ docker events'; printf ' %s' "$@"; echo
    command docker events --since "$begin" --until "$end" "$@" >"$out/stdout" 2>"$out/stderr" </dev/null
    show $?
}
events --filter type=network --filter network=cli-story
events --filter type=network --filter network=cli-story --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}} {{.Scope}}'
events --filter type=network --filter network=cli-inner --format '{{.Action}} {{.Actor.Attributes.name}}'
events --filter type=network --filter event=create --filter network=cli-story --format '{{.Action}} {{.Actor.Attributes.name}}'
events --filter network=cli-story --filter event=destroy --format json
events --filter type=container --filter container=cli-moved --format '{{.Action}}'
events --filter type=container --filter container=cli-box --format '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.image}}'
events --filter type=container --filter container=cli-box --filter event=rename --format '{{.Actor.Attributes.oldName}}'
events --filter label=story=1 --filter type=network --format '{{.Action}}'
events --filter network=cli-none --format '{{.Action}}'
events --filter type=foo --filter network=cli-story --format '{{.Action}}'

# rm and prune
docker network rm cli-macvlan cli-none cli-only-six
docker network prune --force --filter label=$label --filter until=24h
sorted docker network prune --force --filter label=$label --filter label!=env=test
docker network ls --format '{{.Name}}' --filter label=$label
docker network prune --force --filter label=$label
docker network prune --force --filter label=$label
docker network prune --force --filter foo=bar
docker network prune --force --filter until=foo
docker network ls --quiet --filter label=$label

clear
