/* The first file of the imap room lands with its first contract. */
extern int imap_room_is_empty;
int imap_room_is_empty;
