# SPDX-License-Identifier: Apache-2.0
# Argon2.pm: lets LemonLDAP::NG compare passwords with one Argon2id hash that costs as much as ours.
# All users share it.
package Lemonldap::NG::Portal::Auth::Argon2;

use strict;
use Crypt::Argon2 qw(argon2id_verify);
use Mouse;
use Lemonldap::NG::Portal::Main::Constants qw(PE_OK PE_BADCREDENTIALS);

extends qw(Lemonldap::NG::Portal::Auth::_WebForm);

sub authenticate {
    my ( $self, $req ) = @_;
    return PE_OK if argon2id_verify( $ENV{PEER_HASH}, $req->data->{password} );
    $self->setSecurity($req);
    return PE_BADCREDENTIALS;
}

sub authLogout { return PE_OK; }

1;
