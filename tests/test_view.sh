#!/bin/sh
# test_view.sh - tsp view: pictures without a display, what is refused, and the window itself, driven
# by keys and mouse under Xvfb.
#
# The window's title is the command line that shows the same. So every step is judged twice: by what
# the title says, and, for pictures, by whether that command line makes the same file, byte for byte.
# Nothing is waited for by a fixed time: what is expected is asked for again until it is there, or a
# deadline has passed.
set -u
cd "$(dirname "$0")/.."
. tests/cases.sh
subcommand=view root=$PWD python=python3 xvfb= viewer=
# Kills only what was started here.
clean_up() {
    [ -z "$viewer" ] || kill "$viewer" 2>/dev/null
    [ -z "$xvfb" ] || kill "$xvfb" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
unset DISPLAY WAYLAND_DISPLAY SDL_VIDEODRIVER SDL_RENDER_DRIVER

differ() { ! cmp -s "$1" "$2"; }

# command_of PICTURE: the command line kept in it.
command_of() {
    $python -c '
import sys
data, at = open(sys.argv[1], "rb").read(), 8
while at < len(data):
    length, kind = int.from_bytes(data[at:at + 4], "big"), data[at + 4:at + 8]
    key, _, value = data[at + 8:at + 8 + length].partition(b"\0")
    if kind == b"tEXt" and key == b"Description": print(value.decode())
    at += length + 12' "$1"
}

if [ ! -x "$(dirname "$tsp")/tsp-view" ]; then
    refuses 2 'built without the viewer; install libsdl2-dev' programs/vecadd.s
    count_cases
    exit
fi

# ---- pictures without a display ----
v=programs/vecadd.s
works $v --png "$work/a.png"
works $v --png "$work/b.png"
holds 'the same picture twice' cmp "$work/a.png" "$work/b.png"
works $v --cycle 0 --theme dark --palette okabe-ito --size 1280x800 --scale 1 --png "$work/b.png"
holds 'what is said of itself changes nothing' cmp "$work/a.png" "$work/b.png"
for options in '--cycle 12' '--select vxm.0' '--select tensor:X' '--select op:Z' '--select burst:1' \
    '--select row:mem.w0:3' '--zoom 3@13,6' '--range 2:9' '--panel chip' '--panel timeline' \
    '--panel queues' '--panel memory' '--panel graph' '--panel inspector' '--focus memory' \
    '--marks 1:3,9:12' '--speed 50' '--theme light' '--theme print' '--palette grey' \
    '--palette tol-bright' '--size 1920x1080' '--scale 2' '--caption Hello' '--keys' \
    '--cycle 12 --select register:s1.e:14' '--search mem.w0'; do
    # shellcheck disable=SC2086 # the words of the options
    works $v $options --png "$work/b.png"
    [ "$options" = '--search mem.w0' ] ||
        holds "$options shows" differ "$work/a.png" "$work/b.png"
    [ "$(command_of "$work/b.png")" = "tsp view $v $options" ]
    verdict $? "$options: the picture says '$(command_of "$work/b.png")'"
done
works $v --cycle 12 --seed 3 --png "$work/a.png" --panel chip --zoom 20@13,4
works $v --cycle 12 --seed 4 --png "$work/b.png" --panel chip --zoom 20@13,4
holds 'another seed, other values' differ "$work/a.png" "$work/b.png"
works programs/matmul-int8.json --cycle 300 --png "$work/a.png"
"$tsp" compile programs/matmul-int8.json -o "$work/mm.tspprog" >/dev/null
works "$work/mm.tspprog" --cycle 300 --panel chip --png "$work/b.png"
works programs/matmul-int8.json --cycle 300 --panel chip --png "$work/a.png"
holds 'a program file shows what its graph does' "$(dirname "$tsp")/tests/picture_diff" \
    "$work/a.png" "$work/b.png" "$work/diff.png"

works $v --frames 0:21:7 --out "$work/frames" --theme light
grep -q '4 pictures in .*ffmpeg -framerate' "$work/out"
verdict $? 'it says how to make a film'
[ "$(cd "$work/frames" && echo *)" = 'frame-000000.png frame-000007.png frame-000014.png frame-000021.png' ]
verdict $? 'a picture for each of the cycles'
works $v --cycle 14 --theme light --png "$work/b.png"
holds 'a frame is the picture of its cycle' cmp "$work/frames/frame-000014.png" "$work/b.png"

printf '.machine tiny\n@mem.w0\n at 5 read 0, s0.e\n' >"$work/bad.s"
works "$work/bad.s" --png "$work/a.png"
works "$work/bad.s" --cycle 6 --png "$work/b.png"
printf '.machine tiny\n.tensor X, int8, [1, 16], input @ mem.w0:0\n@mem.w0\n at 5 read 0, s0.e\n' \
    >"$work/bad.s"
works "$work/bad.s" --png "$work/b.png"
holds 'an offence shows in the picture' differ "$work/a.png" "$work/b.png"

# ---- keys ----
works --keys
mv "$work/out" "$work/keys"
sed -n '/^<!-- keys -->$/,/^<!-- end -->$/p' docs/viewer.md | sed '1d;$d' | diff - "$work/keys" \
    >"$work/out" 2>"$work/err"
verdict $? 'docs/viewer.md should have what tsp view --keys prints, between its comments'

# ---- what is refused ----
png="--png $work/x.png"
# shellcheck disable=SC2086 # $png is two words
{
refuses 2 'needs a file'
refuses 2 'cannot open' programs/none.s $png
refuses 2 "the run ends in cycle 21" $v --cycle 22 $png
for bad in 'cycle -1' 'cycle 1x' 'cycle 99999999999999999999' 'size 10x10' 'size 1280' 'size 0x0' \
    'size 99999x2' 'scale 0' 'scale nan' 'scale 9' 'theme pink' 'palette pink' 'zoom 0' 'zoom 2@' \
    'zoom 2@1' 'zoom inf' 'range 3' 'range 5:2' 'range 2:2' 'panel fly' 'focus fly' 'marks 0:1' \
    'marks 1' 'marks 1:99' 'speed 0' 'speed 1e9'; do
    refuses 2 "--$bad: expected" $v --$bad $png
done
for thing in fly op:Q tensor:Q burst:99 row:mem.w0 row:vxm.0:1 register:s99.e:1 cycle:99; do
    refuses 2 "there is no '$thing'" $v --select $thing $png
done
refuses 2 'leave one out' $v $png --frames 1:2 --out "$work/f"
refuses 2 'go together' $v --frames 1:2
refuses 2 'go together' $v $png --out "$work/f"
for frames in 1 1: 5:2 1:2:0 1:2:3:4 a:b; do
    refuses 2 "--frames $frames: expected" $v --frames $frames --out "$work/f"
done
refuses 2 'go no further' $v --frames 1:22 --out "$work/f"
refuses 2 'cannot make the folder' $v --frames 1:2 --out "$work/none/f"
refuses 2 'no such folder' $v --png "$work/none/x.png"
refuses 2 'is what is being read' $v --png $v
refuses 2 "no input 'Q'" $v --input Q=x.npy $png
refuses 2 'no such choice' $v --ifetch x $png
refuses 2 'not modelled' x.onnx $png
refuses 2 'there is no display' $v
DISPLAY=:9999 refuses 2 'there is no display' $v
}
[ ! -e "$work/x.png" ] && [ ! -e "$work/f" ]
verdict $? 'what is refused leaves nothing behind'

# ---- the window ----
deadline=60 # seconds; a busy machine may need some

# until WHAT COMMAND...: asks again and again until the command succeeds.
until_holds() {
    what=$1 end=$(($(date +%s) + deadline))
    shift
    while ! "$@" >"$work/out" 2>"$work/err"; do
        if [ "$(date +%s)" -ge $end ]; then
            echo "the title is: $(title)" >>"$work/err"
            verdict 1 "$what"
            return 1
        fi
        sleep 0.02
    done
    verdict 0 "$what"
}
title() { xdotool getwindowname "$window" 2>/dev/null; }
title_is() { [ "$(title)" = "$1" ]; }
title_has() { case "$(title)" in *"$1"*) ;; *) false ;; esac; }
title_lacks() { case "$(title)" in *"$1"*) false ;; *tsp*) ;; *) false ;; esac; }

# shows WHAT OPTIONS: the title is to be this command line.
shows() { until_holds "$1: the title should end in '$2'" title_is "tsp view $file${2:+ $2}"; }
keys() { xdotool key --delay 20 "$@"; }
mouse() { xdotool mousemove --window "$window" "$1" "$2"; }

find_window() {
    window=$(xdotool search --onlyvisible --pid "$viewer" --name '^tsp view' 2>/dev/null | head -n 1)
    [ -n "$window" ]
}
# open FILE OPTIONS...: starts the viewer in $work/shots, where its screenshots go.
open_viewer() {
    file=$1
    shift
    (cd "$work/shots" && exec "$tsp" view "$file" "$@") >"$work/viewer.out" 2>&1 &
    viewer=$!
    until_holds "the window of $file opens" find_window || return 1
    xdotool windowfocus "$window" 2>/dev/null
    until_holds 'the window has the keys' has_focus
}
has_focus() { [ "$(xdotool getwindowfocus)" = "$window" ]; }
is_gone() { ! kill -0 "$viewer" 2>/dev/null; }
close_viewer() {
    keys q
    until_holds 'q closes the window' is_gone
    wait "$viewer"
    verdict $? "the viewer of $file ends with $?"
    viewer=
    [ ! -s "$work/viewer.out" ]
    verdict $? "the viewer prints nothing: $(head -n 3 "$work/viewer.out")"
}

# shot NAME: F12 writes the file, and it is what the title's command line makes.
shot() {
    command=$(title)
    keys F12
    until_holds "F12 writes $1" test -f "$work/shots/$1" || return
    (cd "$work/shots" && eval "\"$tsp\" ${command#tsp } --png \"$work/again.png\"") \
        >"$work/out" 2>"$work/err"
    verdict $? "the title is a command line: $command"
    holds "$1 is what its title makes: $command" cmp "$work/shots/$1" "$work/again.png"
}

start_display() {
    Xvfb -displayfd 3 -screen 0 1400x900x24 -nolisten tcp 3>"$work/display" >/dev/null 2>&1 &
    xvfb=$!
    until_holds 'Xvfb starts' test -s "$work/display" || return 1
    DISPLAY=:$(cat "$work/display")
    export DISPLAY
}

ticks() { awk '{ print $14 + $15 }' "/proc/$viewer/stat"; }

drive_vecadd() {
    open_viewer "$root/$v" || return
    shows 'at first' ''
    keys Right
    shows 'a step' '--cycle 1'
    keys period period
    shows 'two more' '--cycle 3'
    keys Left
    shows 'a step back' '--cycle 2'
    keys shift+Right
    shows 'ten on' '--cycle 12'
    keys shift+Right
    shows 'ten on, up to the end' '--cycle 21'
    keys Home
    shows 'the beginning' ''
    keys g 1 2 Return
    shows 'go to a cycle' '--cycle 12'
    shot vecadd-000012.png
    keys slash v x m Return
    shows 'search' '--cycle 12 --select vxm.0 --search vxm'
    keys ctrl+Left
    shows 'the event before' '--cycle 9 --select vxm.0 --search vxm'
    keys b Home bracketright space # play stops where vxm.0 begins
    shows 'play stops at a breakpoint' '--cycle 2 --select vxm.0 --search vxm --speed 20'
    keys b ctrl+1 t c m
    shows 'mark, theme, palette, panel' \
        '--cycle 2 --select vxm.0 --panel chip --search vxm --marks 1:2 --speed 20 --theme light --palette tol-bright'
    shot vecadd-000002.png
    keys space
    shows 'plays to the end' \
        '--cycle 21 --select vxm.0 --panel chip --search vxm --marks 1:2 --speed 20 --theme light --palette tol-bright'
    keys m t t c c Escape Escape bracketleft 1
    shows 'all back' '--cycle 2 --marks 1:2'
    keys ctrl+plus question
    shows 'larger, with the keys over it' '--cycle 2 --marks 1:2 --scale 1.25 --keys'
    shot vecadd-000002-2.png
    keys Escape ctrl+0
    shows 'and back' '--cycle 2 --marks 1:2'
    keys r
    shows 'loaded again' '--cycle 2 --marks 1:2'
    close_viewer
}

# Idle it uses no time; and the end of play is idle again.
idle() {
    before=$(ticks)
    sleep 1
    [ $(($(ticks) - before)) -le 2 ]
}

drive_matmul() {
    open_viewer "$root/programs/matmul-int8.json" --cycle 300 --theme light || return
    shows 'as asked for' '--cycle 300 --theme light'
    mouse 500 250
    xdotool click 4 click 4
    until_holds 'the wheel zooms the chip' title_has '--zoom 1.56'
    xdotool mousedown 1
    mouse 480 255
    mouse 420 270
    xdotool mouseup 1
    until_holds 'dragging moves it' title_lacks '@13.'
    shot matmul-int8-000300.png
    keys 0
    shows 'all of it' '--cycle 300 --theme light'
    mouse 20 86
    xdotool click 1 # an MXM plane
    until_holds 'a click selects' title_has '--select mxm.w.'
    shot matmul-int8-000300-2.png
    xdotool click --repeat 1 1
    until_holds 'a click on it goes to its next event' title_lacks '--cycle 300 '
    keys Escape
    # the axis of time: to a cycle, then along it
    mouse 689 628
    xdotool click 1
    until_holds 'a click on the axis goes there' title_has '--cycle 38'
    xdotool mousedown 1
    mouse 600 628
    mouse 422 628
    until_holds 'dragging along it scrubs' title_has '--cycle 19'
    xdotool mouseup 1
    mouse 600 700
    xdotool click 4 click 4 click 4
    until_holds 'the wheel zooms time' title_has '--range '
    shot "$(title | sed 's/.*--cycle \([0-9]*\).*/matmul-int8-000\1.png/')"
    keys 0 Home
    mouse 1100 40
    xdotool click --repeat 2 --delay 60 1
    until_holds 'a double click maximises' title_has '--panel inspector'
    shot matmul-int8-000000.png
    keys m bracketright bracketright space
    until_holds 'it plays' title_has '--cycle '
    keys space
    until_holds 'it stops, and sleeps' idle
    xdotool windowsize "$window" 1000 700
    until_holds 'a window of another size' title_has '--size 1000x700'
    keys Home
    until_holds 'at the beginning' title_lacks '--cycle'
    shot matmul-int8-000000-2.png
    close_viewer
}

mkdir "$work/shots"
if command -v Xvfb >/dev/null && command -v xdotool >/dev/null; then
    start_display && drive_vecadd && drive_matmul
else
    verdict 1 'Xvfb and xdotool should be there; tests/install-deps.sh'
fi

[ -z "$(find "$work" -name '*.tmp')" ]
verdict $? 'no temporary file is left'
count_cases
