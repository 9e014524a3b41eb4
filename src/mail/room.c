/* The first file of the mail room lands with its first contract. */
extern int mail_room_is_empty;
int mail_room_is_empty;
