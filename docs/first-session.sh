# A first session with Handset: sign in by a code, set a nickname, upload a picture, get its thumbnail.
# It needs only sh and curl, and stops at the first answer that is not what it expects.
set -eu
API=${API:-http://localhost:3000}
# Another number for every run, because a number gets only one code a minute.
NUMBER=${NUMBER:-139$(date +%s | cut -c 6-10)$(printf %03d $(($$ % 1000)))}

# expect WHAT PIECE ANSWER: prints the step, or stops where the answer has no such piece.
expect() {
  case $3 in
    *"$2"*) printf 'ok      %s\n' "$1" ;;
    *)
      printf 'failed  %s: expected %s, got: %s\n' "$1" "$2" "${3:-nothing. Does the local run listen at $API?}" >&2
      exit 1
      ;;
  esac
}

# field NAME ANSWER: the text of a field of a JSON object.
field() { printf '%s\n' "$2" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

# Four coloured squares, as a PNG.
squares() {
  printf '\211PNG\r\n\032\n\000\000\000\rIHDR\000\000\001\000\000\000\001\000\002\003\000\000\000\041\034@\365\000\000'
  printf '\000\014PLTE\013zu\362\265kZ>\233\373\372\367JoE\231\000\000\000YIDAT\030\323\355\314\001\001\0000\010\003'
  printf '\240\225\264\244\045\377\010\013 \004 )\246\210@ \020\010\004\002\201@ \020\010\004\002\201@ \020\010\004\002'
  printf '\201@ \020\010\004\202\363\301\026\257\020\010\004\002\201@ \020\010\004\002\201@ \020\010\004\002\201@ \020'
  printf '\010\004\002\201@p>\370\260\302\341\322{\253\006q\000\000\000\000IEND\256B\140\202'
}

# Request a code. Only the local run has it in the answer; the text message is on the page at $API.
ANSWER=$(curl -sS "$API/verify_code" -d zone=86 -d "number=$NUMBER" || true)
CODE=$(field code "$ANSWER")
expect "a code for +86 $NUMBER" '"code":"' "$ANSWER"

# Sign in with it. A number that has no account gets one.
ANSWER=$(curl -sS "$API/auth/token" -d zone=86 -d "number=$NUMBER" -d "code=$CODE" || true)
expect "an access token" '"access_token":"' "$ANSWER"
TOKEN=$(field access_token "$ANSWER")

# Set the nickname.
ANSWER=$(curl -sS -X PUT "$API/users/me/nickname" -H "Authorization: Bearer $TOKEN" \
  -H 'Content-Type: application/json' -d '{"value":"Tom"}' || true)
expect "a nickname" '{}' "$ANSWER"

# Upload a picture: the squares, or the file that PHOTO names.
ANSWER=$(if [ -n "${PHOTO:-}" ]; then cat "$PHOTO"; else squares; fi | curl -sS "$API/images" \
  -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/octet-stream' --data-binary @- || true)
expect "a picture" '"src":"/images/' "$ANSWER"
SRC=$(field src "$ANSWER")

# Get its thumbnail: 128 by 128 pixels, cropped to fill. Here only its status, type and size are looked at.
ANSWER=$(curl -sS -o /dev/null -w '%{http_code} %{content_type}' "$API$SRC@128w_128h_1c" || true)
expect "its thumbnail: $API$SRC@128w_128h_1c" '200 image/' "$ANSWER"
